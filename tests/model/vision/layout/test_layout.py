"""Columns are read one after the other, and rows stay rows: on pages of boxes whose order is known.

The pages are drawn at random, with a fixed seed each, and given to the layout in any order: as they
are, with boxes that are inexact or missing, and skewed.
"""

import random
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from model.vision.blocks import Block
from model.vision.layout.layout import lay_out, one_block, renumbered
from model.vision.polygon import Polygon
from model.vision.tables.rules import no_rules
from tests.model.vision.layout.box_pages import (
    COLUMNS,
    ROWS,
    STATES,
    BoxPage,
    H,
    addresses_over_table,
    as_polygons,
    side_bar,
    table,
    two_columns,
)

Draw = Callable[[BoxPage], object]

SEEDS = range(8)


def drawn(draw: Draw, seed: int, **state: float) -> list[Polygon]:
    """Return the boxes of a page in reading order."""
    page = BoxPage(random.Random(seed))
    draw(page)
    return as_polygons(page, **state)


def laid_out(polygons: list[Polygon], quarter_turns: int = 0, text: str = "") -> list[Block]:
    """Return the blocks of a page without ruled lines; all its lines have the same text."""
    return lay_out(polygons, [text] * len(polygons), quarter_turns, no_rules(polygons))


def found_order(polygons: list[Polygon], quarter_turns: int = 0, seed: int = 0) -> list[int]:
    """Return the order of boxes that come in any order."""
    shuffled = list(range(len(polygons)))
    random.Random(seed).shuffle(shuffled)
    blocks = laid_out([polygons[i] for i in shuffled], quarter_turns)
    return [shuffled[index] for block in blocks for index in block.lines]


def followed(order: list[int]) -> tuple[int, int]:
    """Return how many lines are followed by the right one, and how many lines have a next one."""
    return sum(after == before + 1 for before, after in pairwise(order)), len(order) - 1


@pytest.mark.parametrize("draw", COLUMNS, ids=lambda draw: draw.__name__)
def test_columns_are_read_one_after_the_other(draw: Draw) -> None:
    """At least 97 % of the lines are followed by the right one."""
    scores = [
        followed(found_order(drawn(draw, seed, **state), seed=seed))
        for seed in SEEDS
        for state in STATES
    ]
    right, lines = np.sum(scores, axis=0).tolist()
    assert right >= 0.97 * lines


@pytest.mark.parametrize("draw", COLUMNS, ids=lambda draw: draw.__name__)
def test_row_by_row_columns_are_mixed(draw: Draw) -> None:
    """Control: it is not enough to sort the rows."""
    scores = []
    for seed in SEEDS:
        (block,) = one_block(drawn(draw, seed), 0)
        scores.append(followed(list(block.lines)))
    right, lines = np.sum(scores, axis=0).tolist()
    assert right < 0.9 * lines


@pytest.mark.parametrize("draw", ROWS, ids=lambda draw: draw.__name__)
@pytest.mark.parametrize("state", STATES)
def test_rows_stay_rows(draw: Draw, state: dict[str, float]) -> None:
    """Of tables, receipts, forms, lists of keys and values, statements, chats and code: all."""
    for seed in SEEDS:
        polygons = drawn(draw, seed, **state)
        assert found_order(polygons, seed=seed) == list(range(len(polygons)))


@pytest.mark.parametrize("quarters", [1, 2, 3])
@pytest.mark.parametrize("draw", [two_columns, side_bar, table])
def test_a_rotated_page_has_the_order_of_an_upright_one(draw: Draw, quarters: int) -> None:
    """Vertical Chinese in two tiers is such a page: columns from right to left, tier after tier."""
    for seed in SEEDS:
        polygons = drawn(draw, seed)
        upright = found_order(polygons, seed=seed)
        for _ in range(quarters):  # counter-clockwise turns make it upright again
            polygons = [
                np.roll(np.stack([-polygon[:, 1], polygon[:, 0]], axis=-1), 1, axis=0)
                for polygon in polygons
            ]
        assert found_order(polygons, quarters, seed=seed) == upright


def box(x: float, y: float, width: float = 300, height: float = H) -> Polygon:
    """Return an upright box."""
    corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    return np.array(corners, np.float32)


def kinds_and_sizes(polygons: list[Polygon]) -> list[tuple[str, int]]:
    """Return the kind of each block and how many lines it has."""
    return [(block.kind, len(block.lines)) for block in laid_out(polygons)]


def test_blocks_are_parted_by_gaps_columns_and_headings() -> None:
    """A heading, two paragraphs, a table of three columns."""
    heading = [box(100, 50, 400, 2 * H)]
    prose = [box(100, y, 900) for y in (150, 180, 210, 270, 300)]
    rows = [box(x, y, 120) for y in (370, 420, 470) for x in (100, 500, 900)]
    assert kinds_and_sizes(heading + prose + rows) == [
        ("text", 1), ("text", 3), ("text", 2), ("table", 9),
    ]  # fmt: skip


def test_equal_distances_are_no_gaps() -> None:
    """A list that is set wide is one block."""
    assert kinds_and_sizes([box(100, 100 + 80 * i) for i in range(6)]) == [("text", 6)]


def test_two_cells_in_one_row_are_no_table() -> None:
    """Neither are rows whose words do not stand below each other."""
    assert kinds_and_sizes([box(100, 100), box(600, 100), box(100, 130)]) == [("text", 3)]
    ragged = [box(x, 100 + 30 * i, 90) for i in range(4) for x in (100, 450 + 60 * i)]
    assert kinds_and_sizes(ragged) == [("text", 8)]


def test_each_column_is_a_block() -> None:
    """So are the addresses over a table, and the table."""
    blocks = laid_out(drawn(addresses_over_table, 1))
    assert [block.kind for block in blocks][-1] == "table"
    assert len(blocks) >= 4


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("Hafenstrasse 12", 2), ("20457 Hamburg", 2), ("opens 10:30", 2), ("", 2),
        ("Name: Roe", 1), ("\u59d3\u540d\uff1a\u738b", 1), ("Name :", 1),
        ("1,299.00", 1), ("2026-03-18 10:22", 1), ("RM 3.20", 1), ("128 kg", 1),
    ],
)  # fmt: skip
def test_entries_of_a_form_are_rows(text: str, blocks: int) -> None:
    """Their boxes may stand as those of addresses do: short and tight, well apart."""
    widths = (200, 260, 150, 240, 190)
    form = [box(x, 100 + 30 * i, width) for i, width in enumerate(widths) for x in (100, 700)]
    assert len(laid_out(form, text=text)) == blocks


def test_each_line_is_in_one_block() -> None:
    """Renumbered, the blocks have the lines in order."""
    for draw in COLUMNS + ROWS:
        polygons = drawn(draw, 3)
        blocks = laid_out(polygons)
        order = [index for block in blocks for index in block.lines]
        assert sorted(order) == list(range(len(polygons)))
        lines = [index for block in renumbered(blocks) for index in block.lines]
        assert lines == list(range(len(polygons)))


@pytest.mark.parametrize("skew", [0.0, 7.0])
def test_the_polygon_of_a_block_frames_its_lines(skew: float) -> None:
    """From its top left, as it is read; it is as skewed as the page."""
    polygons = drawn(table, 2, skew=skew)
    (block,) = laid_out(polygons)
    top, side = block.polygon[1] - block.polygon[0], block.polygon[3] - block.polygon[0]
    assert np.degrees(np.arctan2(top[1], top[0])) == pytest.approx(skew, abs=0.1)
    assert float(top @ side) == pytest.approx(0, abs=1)
    corners = np.stack(polygons).reshape(-1, 2) - block.polygon[0]
    for edge in (top, side):
        along = corners @ edge / float(edge @ edge)
        assert (along.min(), along.max()) == pytest.approx((0, 1), abs=1e-3)


def test_the_polygon_of_a_block_on_its_side() -> None:
    """Its first corner is where its text begins."""
    upright = [box(100, 100 + 30 * i) for i in range(4)]
    (block,) = laid_out(upright)
    on_side = [np.stack([-polygon[:, 1], polygon[:, 0]], axis=-1) for polygon in upright]
    (turned,) = laid_out([np.roll(polygon, 1, axis=0) for polygon in on_side], 1)
    assert turned.polygon == pytest.approx(np.stack([-block.polygon[:, 1], block.polygon[:, 0]], 1))


def test_by_rows_a_page_is_one_block() -> None:
    """Whatever is on it."""
    for draw in (two_columns, table):
        (block,) = one_block(drawn(draw, 0), 0)
        assert block.kind == "text"


def test_no_boxes() -> None:
    """A blank page has no blocks."""
    assert laid_out([]) == one_block([], 0) == renumbered([]) == []


@pytest.mark.parametrize(("width", "height"), [(0, 0), (0, 12), (30, 0)])
def test_flat_boxes(width: int, height: int) -> None:
    """A page one pixel wide has boxes without area."""
    polygons = [box(40 * (i % 3), 20 * i, width, height) for i in range(30)]
    blocks = laid_out(polygons, text="1")
    assert sorted(line for block in blocks for line in block.lines) == list(range(30))


def test_a_page_of_too_many_lines_is_one_block() -> None:
    """The memory for comparing all pairs would be larger than the page."""
    polygons = [box(100 * (i % 40), 20 * (i // 40), 60, 12) for i in range(4_001)]
    assert len(laid_out(polygons)) == 1
