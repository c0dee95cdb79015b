"""The layout of a page: its lines in reading order, in blocks."""

from collections.abc import Iterator, Sequence

import numpy as np

from model.vision.blocks import Block, moved
from model.vision.layout.bands import Band, bands
from model.vision.layout.entries import are_entries
from model.vision.layout.gutters import WORDY, gutters
from model.vision.layout.level import LevelBoxes, Levelling, level_boxes
from model.vision.layout.order import rows
from model.vision.layout.paragraphs import Paragraph, paragraphs
from model.vision.layout.tables import parts, with_tables_as_rows
from model.vision.polygon import Polygon
from model.vision.tables.boxes import boxes_of
from model.vision.tables.rules import Rules
from model.vision.tables.table import find_tables

_FEWEST_IN_COLUMNS = 6  # lines
_MOST_LINES = 4_000  # of a page; gutters are looked for between all pairs, in 8 bytes for each


def lay_out(
    polygons: Sequence[Polygon], texts: Sequence[str], quarter_turns: int, rules: Rules
) -> list[Block]:
    """Return the blocks of a page in reading order; their lines are indices of the polygons.

    Columns that stand side by side are read one after the other; a table is read cell by cell, and
    what might be one row by row. `texts` are those of the lines. `quarter_turns` is how often the
    page must be rotated by 90 degrees counter-clockwise to be upright; `rules` are the ruled lines
    of the page as it is. A page with more than 4,000 lines is one block.
    """
    if not polygons:
        return []
    if len(polygons) > _MOST_LINES:
        return one_block(polygons, quarter_turns)
    levelling = Levelling.of(polygons, quarter_turns)
    rules = rules.turned(quarter_turns)
    table_boxes = boxes_of(polygons, rules.level)
    tables = find_tables(table_boxes, rules)
    units = with_tables_as_rows(level_boxes(polygons, levelling), tables)
    unit_texts = [texts[line] if line >= 0 else "" for line in units.lines]
    found = _paragraphs(units.boxes, unit_texts, list(range(len(units.boxes))))
    return [
        Block(
            "table" if cells else "text",
            lines,
            levelling.frame([polygons[line] for line in lines]),
            cells,
        )
        for lines, cells in parts(found, units, tables, table_boxes)
    ]


def one_block(polygons: Sequence[Polygon], quarter_turns: int) -> list[Block]:
    """Return a page as one block that is read row by row, across columns."""
    if not polygons:
        return []
    levelling = Levelling.of(polygons, quarter_turns)
    lines = [index for row in rows(level_boxes(polygons, levelling)) for index in row]
    return [Block("text", tuple(lines), levelling.frame(polygons), ())]


def renumbered(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks of lines that have been put in the order of the blocks."""
    place = {line: i for i, line in enumerate(line for block in blocks for line in block.lines)}
    return [moved(block, place) for block in blocks]


def _paragraphs(boxes: LevelBoxes, texts: Sequence[str], members: list[int]) -> Iterator[Paragraph]:
    """Yield the paragraphs of some of the boxes in reading order, column after column."""
    if not members:
        return
    part = boxes.part(members)
    enough = len(members) >= _FEWEST_IN_COLUMNS
    band = _columns(part, [texts[i] for i in members]) if enough else None
    if band is None:
        for found in paragraphs(part, rows(part)):
            yield Paragraph(found.kind, [[members[i] for i in row] for row in found.rows])
        return
    before, after = part.middle < band.first, part.middle > band.last
    left = part.left + part.right < 2 * band.x
    for group in (before, ~before & ~after & left, ~before & ~after & ~left, after):
        yield from _paragraphs(boxes, texts, [members[i] for i in np.flatnonzero(group)])


def _columns(boxes: LevelBoxes, texts: Sequence[str]) -> Band | None:
    """Return the longest columns."""
    best: Band | None = None
    for gutter in gutters(boxes):
        if best is not None and gutter.length <= best.length:
            break
        for band in bands(gutter):
            longer = best is None or band.length > best.length
            if longer and _are_words(boxes, texts, band):
                best = band
    return best


def _are_words(boxes: LevelBoxes, texts: Sequence[str], band: Band) -> bool:
    """Return whether most lines at each side are as wide as words, and not entries of a form."""
    inside = (boxes.middle >= band.first) & (boxes.middle <= band.last)
    aspects = (boxes.right - boxes.left) / boxes.height
    left = boxes.left + boxes.right < 2 * band.x
    sides = [np.flatnonzero(inside & side).tolist() for side in (left, ~left)]
    if any(np.median(aspects[side]) < WORDY for side in sides):
        return False
    return not are_entries(*([texts[i] for i in side] for side in sides))
