"""The lines of a page put in reading order, with its blocks."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from model.vision.blocks import Block
from model.vision.directions import Direction, from_text_corner
from model.vision.layout import lay_out, one_block, renumbered
from model.vision.line_reading import ReadLine


def arranged(
    lines: Sequence[ReadLine], direction: Direction, *, by_columns: bool
) -> tuple[list[ReadLine], list[Block]]:
    """Return the lines in reading order, and the blocks that have them.

    `direction` is that of most lines. Without `by_columns` all lines are one block, read row by
    row. The polygons that come in begin at the top left of the page, those that go out where their
    text begins.
    """
    arrange = lay_out if by_columns else one_block
    blocks = arrange([line.polygon for line in lines], direction.quarter_turns)
    if direction is Direction.COLUMN:  # upright characters begin at the top left of the page
        blocks = [replace(block, polygon=np.roll(block.polygon, 1, axis=0)) for block in blocks]
    ordered = [lines[index] for block in blocks for index in block.lines]
    return (
        [replace(line, polygon=from_text_corner(line.polygon, line.direction)) for line in ordered],
        renumbered(blocks),
    )
