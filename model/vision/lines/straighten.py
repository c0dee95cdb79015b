"""Straighten a line: crop it so that it runs from left to right, whatever its direction."""

from dataclasses import dataclass

import numpy as np

from model.vision.crop import crop_line, rotate_180, text_rows
from model.vision.inference import Pixels
from model.vision.lines.column_boxes import extended
from model.vision.lines.directions import Direction, from_text_corner, is_high
from model.vision.lines.line_end import with_whole_end
from model.vision.lines.vertical import to_horizontal
from model.vision.lines.vertical_layout import Horizontal
from model.vision.polygon import Polygon, parts_of, width_and_height

_END = 0.8  # of a column's width: what is searched for a mark beyond each end


@dataclass(frozen=True, slots=True)
class Straightened:
    """A line as an image, H x W x 3, that runs from left to right, and its box on the page.

    The box begins at the top left corner of the text. A column's image has characters side by side:
    it has their places, and its box is that of the column.
    """

    pixels: Pixels
    box: Polygon
    column: Horizontal | None = None


def straighten(pixels: Pixels, polygon: Polygon, direction: Direction) -> Straightened:
    """Return a line of a page, H x W x 3, as a line that runs from left to right.

    A column of one character is returned as it is.
    """
    if direction is Direction.COLUMN:
        return _straightened_column(pixels, polygon)
    sideways = direction in {Direction.DOWN, Direction.UP}
    whole = with_whole_end(polygon, direction, pixels)
    line = crop_line(pixels, whole, sideways=sideways)
    rows = text_rows(line)
    top, bottom = rows.start / len(line), rows.stop / len(line)
    line = line[rows]
    if direction in {Direction.UPSIDE_DOWN, Direction.UP}:
        line, top, bottom = rotate_180(line), 1 - bottom, 1 - top
    return Straightened(line, _rows_of(from_text_corner(whole, direction), top, bottom))


def _rows_of(box: Polygon, top: float, bottom: float) -> Polygon:
    """Return the part of a box between two shares of its height."""
    if (top, bottom) == (0, 1):
        return box
    part: Polygon = parts_of(box, np.array([[0.0, top, 1.0, bottom]]))[0]
    return part


def _straightened_column(pixels: Pixels, polygon: Polygon) -> Straightened:
    """Return a column's characters side by side; a single one as it is."""
    if is_high(polygon):
        beyond = round(_END * width_and_height(polygon)[0])
        whole = extended(polygon, beyond)
        column = crop_line(pixels, whole, sideways=False)
        horizontal = to_horizontal(column, beyond)
        if horizontal is not None:
            return Straightened(horizontal.pixels, whole, horizontal)
    return Straightened(crop_line(pixels, polygon, sideways=False), polygon)
