"""Tables: the cell of each line, by ruled lines and by aligned boxes; and what is no table."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from model.table_cell import Cell
from model.vision.layout.layout import lay_out
from model.vision.polygon import Polygon
from model.vision.tables.boxes import boxes_of
from model.vision.tables.columns import cells_in_rows
from model.vision.tables.joined import joined_rows
from model.vision.tables.rules import Rules, find_rules, no_rules
from model.vision.tables.split import split_at_rules
from model.vision.tables.table import Table, find_tables
from tests.model.vision.tables.drawn_tables import Drawn, Place, Style, draw

HEAD = ["序号", "商品名称", "规格", "数量", "单价", "金额"]
NAMES = ["无线鼠标", "机械键盘", "Garden lamp, brass", "网线", "Extension lead", "充电器"]
SIZES = ["黑色", "87", "单臂", "5米", "Type-C", "标准"]
LABEL = "附表一 各项目情况说明"  # a line above the table

RULED = [
    Style(),
    Style(letters=12, padding=0.3),
    Style(letters=40, width=3),
    Style(skew=3),
    Style(skew=-3, letters=16),
    Style(stroke="dotted"),
    Style(stroke="double", letters=30),
    Style(stroke="broken"),
    Style(colour=190),
]
UNRULED = [
    Style(rules="rows"),
    Style(rules="rows", skew=3),
    Style(rules="head", width=2, letters=36),
    Style(rules="frame"),
    Style(rules="none", skew=3),
    Style(rules="none", letters=14, padding=0.5),
]


def plain(rows: int = 7, *, second_lines: bool = False, gaps: bool = False) -> dict[Place, str]:
    """Return the cells of a table of six columns, some of two lines or empty."""
    cells: dict[Place, str] = {(0, column, 1, 1): text for column, text in enumerate(HEAD)}
    for row in range(1, rows):
        name = NAMES[row % 6] + ("\n含运费" if second_lines and row % 2 else "")
        texts = [str(row), name, SIZES[row % 6], str(row * 7 % 13), f"{row * 59.5:.2f}"]
        for column, text in enumerate([*texts, f"{row * 1234.5:,.2f}"]):
            empty = gaps and (row * 5 + column * 3) % 7 == 0
            cells[row, column, 1, 1] = "" if empty else text
    return cells


def merged() -> dict[Place, str]:
    """Return the cells of a table with two rows of names, and a sum across three columns."""
    cells: dict[Place, str] = {
        (0, 0, 2, 1): "股东名称",
        (0, 1, 1, 2): "质押情况",
        (0, 3, 1, 2): "本期",
    }
    for column, text in enumerate(["状态", "数量", "期初", "期末"], start=1):
        cells[1, column, 1, 1] = text
    for row in range(2, 6):
        name = "成都交通\n集团公司" if row % 2 else "上海东昌"
        texts = [name, "冻结", f"{row * 5000:,}", f"{row * 1.5:.2f}", f"{row * 771:,}"]
        cells |= {(row, column, 1, 1): text for column, text in enumerate(texts)}
    return cells | {(6, 0, 1, 3): "合计金额", (6, 3, 1, 1): "12.50", (6, 4, 1, 1): "9,999"}


CONTENTS = [plain(), plain(second_lines=True), plain(gaps=True), merged()]


def tables(polygons: list[Polygon], rules: Rules, quarters: int = 0) -> list[Table]:
    """Return the tables of a page that has to be rotated to be upright."""
    rules = rules.turned(quarters)
    return find_tables(boxes_of(polygons, rules.level), rules) if polygons else []


def found(drawn: Drawn) -> list[Table]:
    """Return the tables of a drawn page."""
    return tables(drawn.polygons, find_rules(drawn.pixels, drawn.polygons))


def right(drawn: Drawn) -> tuple[int, int]:
    """Return how many lines of a drawn page are in the right cell, or in none, and of how many."""
    parts = found(drawn)
    places = {
        line: (cell.row, cell.column, cell.row_span, cell.column_span)
        for cell in (parts[0] if parts else [])
        for line in cell.lines
    }
    wanted = [None if place[0] < 0 else place for place in drawn.places]
    return sum(places.get(line) == place for line, place in enumerate(wanted)), len(wanted)


@pytest.mark.parametrize("styles", [RULED, UNRULED], ids=["ruled", "unruled"])
def test_lines_are_in_the_right_cells(styles: list[Style]) -> None:
    """Of drawn tables at least 98 in 100 are, of those ruled all around each one."""
    results = [right(draw(c, style, above=[LABEL])) for c in CONTENTS for style in styles]
    share = sum(good for good, _ in results) / sum(count for _, count in results)
    assert share >= (1.0 if styles is RULED else 0.98)


@pytest.mark.parametrize("width", [2, 3])
def test_rules_between_the_cells_of_two_low_rows_are_found(width: int) -> None:
    """Between two crossings they are shorter than a rule."""
    page = np.full((300, 900, 3), 255, np.uint8)
    for y in (60, 120, 180, 240):
        page[y : y + width, 60 : 840 + width] = 0
    for x in (60, 220, 440, 660, 840):
        page[(60 if x in {60, 840} else 120) : 240 + width, x : x + width] = 0
    corners = [(300, 70), *((x, y) for y in (130, 190) for x in (80, 240, 460, 680))]
    polygons = [
        np.array([(x, y), (x + 90, y), (x + 90, y + 40), (x, y + 40)], np.float32)
        for x, y in corners
    ]
    rules = find_rules(page, polygons)
    assert (len(rules.horizontal), len(rules.vertical)) == (4, 5)


@pytest.mark.parametrize("rules", ["all", "none"])
def test_a_long_table_with_a_slope(rules: str) -> None:
    """At its end the slope is as large as several rows."""
    good, count = right(draw(plain(31), Style(rules=rules, letters=14, skew=3), above=[LABEL]))
    assert good == count


def test_rows_without_rules_between_them_are_divided() -> None:
    """A table with rules between its columns only has a row for each row of text."""
    good, count = right(draw(plain(second_lines=True), Style(rules="columns"), above=[LABEL]))
    assert good == count


def test_a_cell_beside_a_row_that_is_divided_covers_its_parts() -> None:
    """A name beside two rows, of which the first holds three rows of text."""
    rows = [["1", "2", "3"], ["4", "5", "6"], ["7", "8", "9"], ["a", "b", "c"]]
    cells: dict[Place, str] = {(0, 0, 2, 1): "名称"}
    cells |= {(0, c, 1, 1): "\n".join(row[c - 1] for row in rows[:3]) for c in (1, 2, 3)}
    cells |= {(1, c, 1, 1): rows[3][c - 1] for c in (1, 2, 3)}
    drawn = draw(cells, Style(numbers_right=False))
    (table,) = found(drawn)
    assert sorted(line for cell in table for line in cell.lines) == list(range(len(drawn.texts)))
    texts = {(cell.row, cell.column): drawn.texts[cell.lines[0]] for cell in table}
    assert texts == {(0, 0): "名称"} | {
        (r, c + 1): text for r, row in enumerate(rows) for c, text in enumerate(row)
    }
    assert table[0].row_span == len(rows)


def covered(cell: Cell) -> list[tuple[int, int]]:
    """Return the places that a cell covers: row and column."""
    rows = range(cell.row, cell.row + cell.row_span)
    return [(row, c) for row in rows for c in range(cell.column, cell.column + cell.column_span)]


@pytest.mark.parametrize("seed", range(20))
def test_each_line_of_any_boxes_is_in_one_cell_at_most(seed: int) -> None:
    """Whatever the boxes and rules are, the blocks have each line once, and no cells overlap."""
    random = np.random.default_rng(seed)
    corners = random.integers(0, (8, 12), (60, 2)) * (90, 34) + random.integers(0, 20, (60, 2))
    sizes = np.stack([random.integers(10, 200, 60), random.integers(20, 50, 60)], 1)
    polygons = [
        np.array([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], np.float32)
        for (x, y), (w, h) in zip(corners.tolist(), sizes.tolist(), strict=True)
    ]
    ends = np.sort(random.integers(0, 800, (2, 12, 2)), axis=2)
    positions = random.integers(0, 400, (2, 12, 1))
    across, down = np.concatenate([positions, ends], axis=2).astype(np.float64)
    rules = Rules(np.eye(2), across, down)
    cells = [cell for table in tables(polygons, rules) for cell in table]
    lines = [line for cell in cells for line in cell.lines]
    assert len(lines) == len(set(lines))
    for quarters in (0, 1):
        blocks = lay_out(polygons, [""] * len(polygons), quarters, rules)
        assert sorted(line for block in blocks for line in block.lines) == list(range(60))
        for block in blocks:
            inside = tuple(line for cell in block.cells for line in cell.lines)
            assert inside == (block.lines if block.kind == "table" else ())
            places = [place for cell in block.cells for place in covered(cell)]
            assert len(places) == len(set(places))


@pytest.mark.parametrize("pattern", [[(0, 2, 3), (1,)], [(0, 2), (1, 3)], [(0, 2), (1,), (3,)]])
def test_cells_between_rows_that_have_other_columns_do_not_overlap(
    pattern: list[tuple[int, ...]],
) -> None:
    """A cell covers the rows above and below it, but no place of another cell."""
    places = [(row, column) for row in range(9) for column in pattern[row % len(pattern)]]
    polygons = [
        np.array([(x, y), (x + 80, y), (x + 80, y + 20), (x, y + 20)], np.float32)
        for x, y in ((110 * column, 22 * row) for row, column in places)
    ]
    cells = [Cell(row, column, 1, 1, (line,)) for line, (row, column) in enumerate(places)]
    joined = joined_rows(cells, boxes_of(polygons, np.eye(2)), np.empty((0, 3)))
    assert max(cell.row_span for cell in joined) == 2
    occupied = [place for cell in joined for place in covered(cell)]
    assert len(occupied) == len(set(occupied))


def test_pairs_of_texts_that_share_no_column_are_no_table() -> None:
    """Each pair begins where the one above ends."""
    polygons = [
        np.array([(x, y), (x + 100, y), (x + 100, y + 20), (x, y + 20)], np.float32)
        for x, y in ((260 * row + gap, 30 * row) for row in range(20) for gap in (0, 130))
    ]
    assert cells_in_rows(boxes_of(polygons, np.eye(2)), range(len(polygons))) == []


@pytest.mark.parametrize("degrees", [0.0, 0.09, -0.09, 1.0])
def test_the_slope_of_a_rule_is_removed_once(degrees: float) -> None:
    """On the levelled page the rule is level, and where it was at the page's left edge."""
    slope = np.tan(np.radians(degrees))
    page = np.full((400, 2300, 3), 255, np.uint8)
    ends = [(50, 100 + 50 * slope), (2250, 100 + 2250 * slope)]
    start, end = ((x, round(16 * y)) for x, y in ends)
    cv2.line(page, (start[0] * 16, start[1]), (end[0] * 16, end[1]), (0, 0, 0), 2, cv2.LINE_AA, 4)
    polygons = [
        np.array([(x + dx, y + dy + slope * (x + dx)) for dx, dy in CORNERS], np.float32)
        for y in (120, 170, 220)
        for x in (100, 900, 1700)
    ]
    rules = find_rules(page, polygons)
    (rule,) = rules.horizontal
    assert (np.array(ends) @ rules.level)[:, 1] == pytest.approx(rule[[0, 0]], abs=1.0)


CORNERS = [(0, 0), (400, 0), (400, 24), (0, 24)]


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_table_on_its_side(quarters: int) -> None:
    """A page that was rotated has the cells of the upright one."""
    drawn = draw(merged(), Style(skew=1))
    height, width = drawn.pixels.shape[:2]
    pixels, polygons = drawn.pixels, list(drawn.polygons)
    for _ in range(quarters):  # clockwise
        pixels = np.rot90(pixels, -1)
        polygons = [np.stack([height - p[:, 1], p[:, 0]], 1).astype(np.float32) for p in polygons]
        height, width = width, height
    rules = find_rules(np.ascontiguousarray(pixels), polygons)
    assert tables(polygons, rules, quarters) == found(drawn)


def test_cells_are_in_the_order_of_their_rows() -> None:
    """All lines of a cell come before those of the next one."""
    rows = [["血常规", "白细胞计数\n略高于正常", "空腹"], ["胸片", "两肺纹理\n清晰", "无"]]
    cells = {(r, c, 1, 1): text for r, row in enumerate(rows) for c, text in enumerate(row)}
    drawn = draw(cells, Style())
    (table,) = found(drawn)
    texts = [drawn.texts[line] for cell in table for line in cell.lines]
    assert texts == ["血常规", "白细胞计数", "略高于正常", "空腹", "胸片", "两肺纹理", "清晰", "无"]


def boxes(columns: Sequence[tuple[float, Sequence[float]]], pitch: float = 40) -> list[Polygon]:
    """Return columns of text boxes: the left edge of each, and the widths of its lines."""
    result = []
    for left, widths in columns:
        for row, width in enumerate(widths):
            top = row * pitch
            corners = [(left, top), (left + width, top), (left + width, top + 30), (left, top + 30)]
            result.append(np.array(corners, np.float32))
    return result


PROSE = [300, 310, 290, 305, 310, 298, 160]


@pytest.mark.parametrize(
    "polygons",
    [
        boxes([(0, PROSE), (340, PROSE[::-1]), (680, PROSE)]),
        boxes([(60, [80, 290, 195, 190, 115]), (700, [95, 260, 190, 185, 190])]),
        boxes([(0, [100, 90, 100, 60, 60, 100]), (500, [200, 190, 120, 80, 90, 110])]),
        boxes([(0, [160, 290, 195]), (340, [150, 260, 190]), (680, [170, 250, 210])]),
        boxes([(0, PROSE)]),
        [],
    ],
    ids=["three columns of prose", "two addresses", "keys and values", "three addresses", "list",
         "nothing"],
)  # fmt: skip
def test_what_is_no_table(polygons: list[Polygon]) -> None:
    """Columns of text, addresses and lists of keys and values aren't."""
    assert tables(polygons, no_rules(polygons)) == []


def test_a_frame_around_text_is_no_table() -> None:
    """Nor is a rule between two columns of prose."""
    polygons = [each + np.float32(30) for each in boxes([(40, PROSE), (400, PROSE)])]
    page = np.full((400, 800, 3), 255, np.uint8)
    page[5:7, 5:780] = page[340:342, 5:780] = 0
    page[5:342, 5:7] = page[5:342, 778:780] = page[5:342, 375:377] = 0
    rules = find_rules(page, polygons)
    assert (len(rules.horizontal), len(rules.vertical)) == (2, 3)
    assert tables(polygons, rules) == []


def test_a_page_without_boxes_side_by_side_is_not_searched() -> None:
    """Its pixels cost nothing."""
    polygons = boxes([(0, PROSE)])
    rules = find_rules(np.empty((0, 0, 3), np.uint8), polygons)
    assert not len(rules.horizontal)
    assert not len(rules.vertical)


def joined(drawn: Drawn, left: int, right: int) -> list[Polygon]:
    """Return the boxes of a drawn page, two of them joined to the last one."""
    both = np.concatenate([drawn.polygons[left], drawn.polygons[right]])
    (x, y), (end, bottom) = both.min(0), both.max(0)
    box = np.array([(x, y), (end, y), (end, bottom), (x, bottom)], np.float32)
    rest = [p for line, p in enumerate(drawn.polygons) if line not in {left, right}]
    return [*rest, box]


@pytest.mark.parametrize("style", [Style(), Style(colour=180), Style(stroke="double")])
@pytest.mark.parametrize("blur", [0.0, 0.6])
def test_a_box_over_two_cells_is_divided_at_the_rule(style: Style, blur: float) -> None:
    """Each part ends at the rule."""
    drawn = draw(plain(), style)
    polygons = joined(drawn, 7, 8)
    pixels = drawn.pixels
    if blur:
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), blur), np.uint8)
    parts = split_at_rules(pixels, polygons, find_rules(pixels, polygons))
    assert len(parts) == len(polygons) + 1
    first, second = parts[len(polygons) - 1], parts[-1]
    assert np.abs(first[0] - polygons[-1][0]).max() < 1
    assert np.abs(second[2] - polygons[-1][2]).max() < 1
    rule = drawn.polygons[7][1, 0], drawn.polygons[8][0, 0]
    assert rule[0] < first[1, 0] < second[0, 0] < rule[1]


@pytest.mark.parametrize("rules", ["none", "rows"])
def test_a_box_is_not_divided_without_a_rule(rules: str) -> None:
    """A gap alone may be a space; and a line across all columns stays whole."""
    drawn = draw(plain(), Style(rules=rules))
    polygons = joined(drawn, 7, 8)
    assert len(split_at_rules(drawn.pixels, polygons, find_rules(drawn.pixels, polygons))) == len(
        polygons
    )


def test_a_letter_across_a_rule_keeps_its_box_whole() -> None:
    """Ink across the rule means that the text was printed over it; the line spans both cells."""
    drawn = draw(plain(), Style())
    polygons = joined(drawn, 7, 8)
    low, high = polygons[-1].min(0).astype(int), polygons[-1].max(0).astype(int)
    pixels = drawn.pixels.copy()
    pixels[low[1] + 8 : high[1] - 8, low[0] + 20 : high[0] - 20] = 0
    assert len(split_at_rules(pixels, polygons, find_rules(drawn.pixels, polygons))) == len(
        polygons
    )
    (cells,) = tables(polygons, find_rules(drawn.pixels, polygons))
    spans = [cell.column_span for cell in cells if len(polygons) - 1 in cell.lines]
    assert spans == [2]
