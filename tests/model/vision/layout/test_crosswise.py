"""Lines that run across the others: headings over vertical text, notes in a margin, couplets."""

from collections.abc import Sequence

import numpy as np

from model.vision.blocks import Block
from model.vision.layout.arrangement import arranged
from model.vision.layout.crosswise import crosswise_units
from model.vision.lines.directions import Direction
from model.vision.lines.line_reading import ReadLine
from model.vision.polygon import Polygon
from model.vision.tables.rules import no_rules

UPRIGHT, COLUMN, DOWN = Direction.UPRIGHT, Direction.COLUMN, Direction.DOWN
# Columns of a vertical page, the right one first.
POEM = [(f"column {i}", (600 - 60 * i, 200, 40, 500), COLUMN) for i in range(5)]
PROSE = [(f"line {i}", (200, 100 + 40 * i, 600, 30), UPRIGHT) for i in range(6)]

Placed = tuple[str, tuple[float, float, float, float], Direction]


def arrange(
    lines: list[ReadLine], most: Direction, *, by_columns: bool
) -> tuple[list[ReadLine], list[Block]]:
    """Return what is arranged on a page without ruled lines."""
    rules = no_rules([line.polygon for line in lines])
    return arranged(lines, most, rules, by_columns=by_columns)


def read(text: str, place: tuple[float, float, float, float], direction: Direction) -> ReadLine:
    """Return a line in a box: x, y, width and height."""
    x, y, width, height = place
    corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    polygon: Polygon = np.array(corners, np.float32)
    return ReadLine(text, 0.9, 0.9, polygon, direction)


def order(lines: Sequence[Placed], most: Direction) -> list[str]:
    """Return the texts in reading order."""
    # From last to first: the order in which they are found must not matter.
    found, blocks = arrange([read(*line) for line in lines[::-1]], most, by_columns=True)
    assert [index for block in blocks for index in block.lines] == list(range(len(found)))
    return [line.text for line in found]


def texts(lines: Sequence[Placed]) -> list[str]:
    """Return the texts of lines in the order in which they are given."""
    return [text for text, _, _ in lines]


def test_a_heading_over_vertical_text() -> None:
    """It comes first; below the columns it comes last."""
    heading: Placed = ("heading", (380, 100, 240, 40), UPRIGHT)
    assert order([heading, *POEM], COLUMN) == texts([heading, *POEM])
    footer: Placed = ("footer", (380, 760, 240, 40), UPRIGHT)
    assert order([*POEM, footer], COLUMN) == texts([*POEM, footer])


def test_two_lines_of_a_heading_stay_together() -> None:
    """They are a block of their own."""
    heading: list[Placed] = [
        ("first", (380, 60, 240, 40), UPRIGHT),
        ("second", (380, 105, 200, 40), UPRIGHT),
    ]
    lines = [read(*line) for line in [*POEM, *heading]]
    found, blocks = arrange(lines, COLUMN, by_columns=True)
    assert [line.text for line in found] == texts([*heading, *POEM])
    assert [len(block.lines) for block in blocks] == [2, 5]


def test_a_note_in_the_margin_does_not_part_the_text() -> None:
    """At the left it comes first, at the right last."""
    for x, at_left in ((100, True), (900, False)):
        for direction in (COLUMN, DOWN):
            note: Placed = ("note", (x, 120, 30, 200), direction)
            lines = [note, *PROSE] if at_left else [*PROSE, note]
            assert order(lines, UPRIGHT) == texts(lines)


def test_by_height_a_note_would_part_the_text() -> None:
    """Control: read row by row, the note is between the lines."""
    note: Placed = ("note", (100, 120, 30, 200), COLUMN)
    lines = [read(*line) for line in [note, *PROSE]]
    found, (_,) = arrange(lines, UPRIGHT, by_columns=False)
    assert 0 < [line.text for line in found].index("note") < len(PROSE)


def test_a_single_character_runs_as_the_others() -> None:
    """Its box shows no direction."""
    lines = [*POEM]
    lines[2] = ("single", (480, 200, 40, 45), UPRIGHT)
    assert order(lines, COLUMN) == texts(lines)


def test_lines_that_are_upside_down_are_not_across() -> None:
    """They stay at their height."""
    lines = [*PROSE]
    lines[3] = (*lines[3][:2], Direction.UPSIDE_DOWN)
    assert order(lines, UPRIGHT) == texts(lines)


def test_a_block_begins_where_its_text_does() -> None:
    """The first corner of upright characters below each other is the top left of the page."""
    _, (columns,) = arrange([read(*line) for line in POEM], COLUMN, by_columns=True)
    assert columns.polygon[0].tolist() == [360, 200]
    _, (down,) = arrange(
        [read(text, place, DOWN) for text, place, _ in POEM], DOWN, by_columns=True
    )
    assert down.polygon[0].tolist() == [640, 200]


def test_lines_near_each_other_are_one_unit() -> None:
    """A line between two groups joins them, whatever the order."""
    places = [100, 145, 500, 545, 190, 235, 280, 325, 370, 415, 460]
    polygons = [read("", (300, y, 200, 40), UPRIGHT).polygon for y in places]
    units = crosswise_units(polygons, [UPRIGHT] * len(places), COLUMN)
    assert [sorted(unit) for unit in units] == [list(range(len(places)))]
    units = crosswise_units(polygons[:4], [UPRIGHT] * 4, COLUMN)
    assert [sorted(unit) for unit in units] == [[0, 1], [2, 3]]
