"""The lines of a page put in reading order, with its blocks."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from model.vision.blocks import Block, moved
from model.vision.layout.crosswise import crosswise_units, with_units
from model.vision.layout.layout import lay_out, one_block, renumbered
from model.vision.lines.directions import Direction, from_text_corner
from model.vision.lines.line_reading import ReadLine
from model.vision.tables.rules import Rules


def arranged(
    lines: Sequence[ReadLine], direction: Direction, rules: Rules, *, by_columns: bool
) -> tuple[list[ReadLine], list[Block]]:
    """Return the lines in reading order, and the blocks that have them.

    `direction` is that of most lines, `rules` are the page's ruled lines. Without `by_columns` all
    lines are one block, read row by row. The polygons that come in begin at the top left of the
    page, those that go out where their text begins.
    """
    if by_columns:
        blocks = _laid_out(lines, direction, rules)
    else:
        rows = one_block([line.polygon for line in lines], direction.quarter_turns)
        blocks = _from_text_corners(rows, direction)
    ordered = [lines[index] for block in blocks for index in block.lines]
    return (
        [_from_text_corner(line) for line in ordered],
        renumbered(blocks),
    )


def _laid_out(lines: Sequence[ReadLine], most: Direction, rules: Rules) -> list[Block]:
    """Return the blocks of a page, with the lines that run across most in blocks of their own."""
    polygons = [line.polygon for line in lines]
    units = crosswise_units(polygons, [line.direction for line in lines], most)
    across = {index for unit in units for index in unit}

    def blocks_of(members: Sequence[int], direction: Direction) -> list[Block]:
        blocks = lay_out(
            [polygons[index] for index in members],
            [lines[index].text for index in members],
            direction.quarter_turns,
            rules,
        )
        return [moved(block, members) for block in _from_text_corners(blocks, direction)]

    blocks = blocks_of([index for index in range(len(lines)) if index not in across], most)
    return with_units(blocks, [blocks_of(unit, lines[unit[0]].direction) for unit in units], most)


def _from_text_corner(line: ReadLine) -> ReadLine:
    """Return a line with the top left corner of its text first, as upright lines have it."""
    if not line.direction.degrees:
        return line
    return replace(line, polygon=from_text_corner(line.polygon, line.direction))


def _from_text_corners(blocks: list[Block], direction: Direction) -> list[Block]:
    """Return the blocks with the top left corner of their text first.

    Upright characters below each other begin at the top left of the page, not of the page on its
    side that has them as lines.
    """
    turns = int(direction is Direction.COLUMN)
    return [replace(block, polygon=np.roll(block.polygon, turns, axis=0)) for block in blocks]
