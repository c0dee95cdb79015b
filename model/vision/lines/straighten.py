"""Straighten a line: crop it so that it runs from left to right, whatever its direction."""

from model.vision.crop import crop_line, rotate_180, trim_loose
from model.vision.inference import Pixels
from model.vision.lines.column_boxes import extended
from model.vision.lines.directions import Direction, is_high
from model.vision.lines.line_end import with_whole_end
from model.vision.lines.vertical import to_horizontal
from model.vision.polygon import Polygon, width_and_height

_END = 0.8  # of a column's width: what is searched for a mark beyond each end


def straighten(pixels: Pixels, polygon: Polygon, direction: Direction) -> Pixels:
    """Return a line of a page, H x W x 3, as a line that runs from left to right.

    A column of one character is returned as it is.
    """
    if direction is Direction.COLUMN:
        return _straightened_column(pixels, polygon)
    sideways = direction in {Direction.DOWN, Direction.UP}
    whole = with_whole_end(polygon, direction, pixels)
    line = trim_loose(crop_line(pixels, whole, sideways=sideways))
    return rotate_180(line) if direction in {Direction.UPSIDE_DOWN, Direction.UP} else line


def _straightened_column(pixels: Pixels, polygon: Polygon) -> Pixels:
    """Return a column's characters side by side; a single one as it is."""
    if is_high(polygon):
        beyond = round(_END * width_and_height(polygon)[0])
        column = crop_line(pixels, extended(polygon, beyond), sideways=False)
        horizontal = to_horizontal(column, beyond)
        if horizontal is not None:
            return horizontal
    return crop_line(pixels, polygon, sideways=False)
