"""Straighten a line: crop it so that it runs from left to right, whatever its direction."""

from model.vision.crop import crop_line, rotate_180, trim_loose
from model.vision.directions import Direction, is_high
from model.vision.inference import Pixels
from model.vision.polygon import Polygon
from model.vision.vertical import to_horizontal


def straighten(pixels: Pixels, polygon: Polygon, direction: Direction) -> Pixels:
    """Return a line of a page, H x W x 3, as a line that runs from left to right.

    A column of one character is returned as it is.
    """
    if direction is Direction.COLUMN:
        column = crop_line(pixels, polygon, sideways=False)
        horizontal = to_horizontal(column) if is_high(polygon) else None
        return column if horizontal is None else horizontal
    sideways = direction in {Direction.DOWN, Direction.UP}
    line = trim_loose(crop_line(pixels, polygon, sideways=sideways))
    return rotate_180(line) if direction in {Direction.UPSIDE_DOWN, Direction.UP} else line
