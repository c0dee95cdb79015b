"""Which blocks are headings: by the size of their letters alone."""

import math

from handlers.writing.geometry import is_column, median
from model.reader import Block, Line, Page

_TALLER = 1.5  # than the page's usual line: Chinese is a tenth taller than Latin of the same size
_FEWEST_LINES = 5  # fewer have no usual height
_MOST_LINES = 2


def heading_height(page: Page) -> float:
    """Return the height from which on a line of the page is that of a heading."""
    heights = [_height(line) for line in page.lines if line.words]
    return _TALLER * median(heights) if len(heights) >= _FEWEST_LINES else math.inf


def is_heading(page: Page, block: Block, height: float) -> bool:
    """Whether a block is a heading: one or two tall lines of letters, not of numbers."""
    if len(block.lines) > _MOST_LINES:
        return False
    lines = [page.lines[index] for index in block.lines]
    text = "".join(line.text or "" for line in lines)
    letters = sum(map(str.isalpha, text))
    return letters * 2 > len(text) and all(_height(line) >= height for line in lines)


def _height(line: Line) -> float:
    """Return the height of the tallest word; in a column of characters, the width of the widest.

    A line's own polygon has a margin, which says nothing of its letters.
    """
    end = 1 if is_column(line) else 3
    return max((math.dist(word.polygon[0], word.polygon[end]) for word in line.words), default=0.0)
