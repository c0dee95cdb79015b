"""Which blocks are headings: by the size of their letters alone."""

import math

from handlers.writing.geometry import is_column, median
from model.reader import Block, Line, Page

_TALLER = 1.5  # than the page's usual line: print of the same size differs by up to 1.3
_FEWEST_LINES = 5  # fewer have no usual height
_MOST_LINES = 2


def heading_height(page: Page) -> float:
    """Return the height from which on a line of the page is that of a heading."""
    if len(page.lines) < _FEWEST_LINES:
        return math.inf
    return _TALLER * median(_height(line) for line in page.lines)


def is_heading(page: Page, block: Block, height: float) -> bool:
    """Whether a block is a heading: one or two tall lines of letters, not of numbers."""
    if len(block.lines) > _MOST_LINES:
        return False
    lines = [page.lines[index] for index in block.lines]
    text = "".join(line.text or "" for line in lines)
    letters = sum(map(str.isalpha, text))
    return letters * 2 > len(text) and all(_height(line) >= height for line in lines)


def _height(line: Line) -> float:
    """Return the height of the letters; that of a column of characters is its width."""
    top_left, top_right, _, bottom_left = line.polygon
    return math.dist(top_left, top_right if is_column(line) else bottom_left)
