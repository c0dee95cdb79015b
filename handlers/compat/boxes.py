"""The geometry of lines that the responses of other services need."""

from handlers.writing.geometry import Box, Polygon, bounds
from model.reader import Line, Page


def is_upside_down(polygon: Polygon) -> bool:
    """Return whether the text of a line runs from right to left."""
    return polygon[1][0] < polygon[0][0]


def in_one_row(before: Box, after: Box) -> bool:
    """Return whether a box stands beside the one before it: each has its middle in the other."""
    middles = (before.top + before.bottom) / 2, (after.top + after.bottom) / 2
    beside = before.top < middles[1] < before.bottom and after.top < middles[0] < after.bottom
    return beside and after.left >= before.left


def upright_box(page: Page, polygon: Polygon) -> Box:
    """Return the rectangle around a polygon once the page is turned so that its text is upright."""
    match page.rotation:
        case 90:
            return bounds([(y, page.width - x) for x, y in polygon])
        case 180:
            return bounds([(page.width - x, page.height - y) for x, y in polygon])
        case 270:
            return bounds([(page.height - y, x) for x, y in polygon])
    return bounds(polygon)


def rows_of(page: Page) -> list[list[tuple[Line, Box]]]:
    """Return the lines of a page that was read row by row, in rows, with their upright boxes."""
    rows: list[list[tuple[Line, Box]]] = []
    for line in page.lines:
        box = upright_box(page, line.polygon)
        if rows and in_one_row(rows[-1][-1][1], box):
            rows[-1].append((line, box))
        else:
            rows.append([(line, box)])
    return rows
