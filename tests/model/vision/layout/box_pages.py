"""Pages of boxes without pixels, in their true reading order: columns, and what must stay rows."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from model.vision.polygon import Polygon

H = 24.0  # height of a box of running text, px


@dataclass
class BoxPage:
    """Boxes (x, y, width, height) in reading order."""

    rng: random.Random
    boxes: list[tuple[float, float, float, float]] = field(default_factory=list)

    def line(self, x: float, y: float, width: float, height: float = H) -> None:
        """Add a line."""
        self.boxes.append((x, y, width, height))

    def right(self, x: float, y: float, width: float) -> None:
        """Add a line that ends at x."""
        self.line(x - width, y, width)

    def words(self, low: float, high: float) -> float:
        """Return the width of a random text, low to high in heights of a line."""
        return self.rng.uniform(low, high) * H

    def prose(self, x: float, y: float, width: float, lines: int, pitch: float = 1.3) -> float:
        """Add a column of running text in paragraphs; return where it ends."""
        rng = self.rng
        ragged, gap, indent = rng.choice((0.0, 0.12)), rng.choice((0.0, 0.7)), rng.choice((0, 2))
        left = rng.randint(3, 9)
        first = True
        for i in range(lines):
            left -= 1
            last = left <= 0 or i == lines - 1
            start = indent * H if first else 0.0
            full = width - start - rng.uniform(0, ragged) * width
            self.line(x + start, y, full * rng.uniform(0.2, 1.0) if last else full)
            first = last
            y += pitch * H
            if left <= 0:
                y += gap * H
                left = rng.randint(3, 9)
        return y

    def ragged(
        self, x: float, y: float, widths: tuple[float, float], lines: int, pitch: float
    ) -> float:
        """Add a column of short lines; return where it ends."""
        for _ in range(lines):
            self.line(x, y, self.words(*widths))
            y += pitch * H
        return y


def two_columns(page: BoxPage) -> None:
    """Title, two columns of prose, page number."""
    columns(page, 2)


def three_columns(page: BoxPage) -> None:
    """Title, three columns of prose, page number."""
    columns(page, 3)


def four_columns(page: BoxPage) -> None:
    """Title, four columns of prose, page number."""
    columns(page, 4)


def columns(page: BoxPage, count: int, y: float = 100, lines: int = 0) -> float:
    """Add columns of prose; return where the longest ends."""
    rng = page.rng
    gutter = rng.uniform(1.3, 3.0) * H
    width = 1600 / count - gutter
    if rng.random() < 0.7 and not lines:
        title = rng.uniform(0.5, 1.0) * 1600
        page.line(100 + (1600 - title) / 2, y, title, 2 * H)
        y += 5 * H
    lines = lines or rng.randint(12, 45)
    pitch = rng.uniform(1.15, 1.8)
    aligned = rng.random() < 0.6
    ends = []
    for column in range(count):
        top = y if aligned else y + rng.uniform(-0.6, 0.6) * H
        own = lines if column < count - 1 else rng.randint(lines // 2, lines)
        ends.append(page.prose(100 + column * (width + gutter), top, width, own, pitch))
    end = max(ends)
    if rng.random() < 0.5:
        page.line(880, end + 3 * H, 40)
    return end


def paper(page: BoxPage) -> None:
    """Two columns with a gutter no wider than a space; boxes reach into it, and beyond it."""
    width, rng = 27 * H, page.rng
    page.line(300, 100, 20 * H, 1.5 * H)
    for column in range(2):
        first = len(page.boxes)
        page.prose(100 + column * (width + 0.7 * H), 200, width, rng.randint(20, 30), 1.1)
        for i in range(first, len(page.boxes)):
            x, y, long, height = page.boxes[i]
            before, after = rng.uniform(0, 0.4) * H, rng.uniform(0, 0.4) * H
            page.boxes[i] = (x - before, y, long + before + after, height)


def caption_between(page: BoxPage) -> None:
    """Columns above and below a caption of the full width."""
    y = columns(page, 2, lines=12)
    if page.boxes[-1][2] == 40:
        page.boxes.pop()
    page.line(300, y + H, 1200)
    columns(page, 2, y + 4 * H, lines=page.rng.randint(5, 15))


def headline_over_two_of_three(page: BoxPage) -> None:
    """A newspaper: one article in two columns under its headline, another in the third."""
    width, rng = 480, page.rng
    page.line(100, 60, 1560, 4 * H)
    page.line(100, 200, 2 * width + 60, 2.2 * H)
    pitch = rng.uniform(1.2, 1.5)
    for column in range(2):
        page.prose(100 + column * (width + 60), 290, width, rng.randint(18, 22), pitch)
    page.line(100 + 2 * (width + 60), 195, width * 0.9, 1.5 * H)
    page.prose(100 + 2 * (width + 60), 250, width, rng.randint(18, 24), pitch)


def columns_of_lists(page: BoxPage) -> None:
    """Two columns with numbered lists, the numbers hanging."""
    pitch = page.rng.uniform(1.25, 1.5)
    for column in range(2):
        y, x = 100.0, 100 + column * 820
        y = page.prose(x, y, 760, 8, pitch)
        for _ in range(4):
            page.line(x, y, 1.1 * H)
            for i in range(page.rng.randint(2, 3)):
                page.line(x + 2 * H, y, (760 - 2 * H) * (1.0 if i < 2 else 0.5))
                y += pitch * H
        page.prose(x, y, 760, 8, pitch)


def side_bar(page: BoxPage) -> None:
    """A CV: a narrow side bar of short lines, and prose beside it."""
    rng = page.rng
    right = rng.random() < 0.3
    bar, text = (1250, 100) if right else (100, 560)

    def draw_bar() -> None:
        y = 100.0
        for _ in range(rng.randint(2, 4)):
            y = page.ragged(bar, y, (3, 11), rng.randint(3, 6), pitch) + 1.5 * H

    def draw_text() -> None:
        y = 100 + rng.uniform(-0.5, 0.5) * H
        for _ in range(rng.randint(2, 4)):
            page.line(text, y, page.words(6, 16), 1.2 * H)
            y = page.prose(text, y + 2 * H, 1100, rng.randint(3, 7), rng.uniform(1.25, 1.6)) + H

    pitch = rng.uniform(1.3, 2.2)
    for draw in (draw_text, draw_bar) if right else (draw_bar, draw_text):
        draw()


def addresses_over_table(page: BoxPage) -> None:
    """Two or three addresses side by side, then a table."""
    rng = page.rng
    page.line(100, 60, page.words(10, 18), 1.5 * H)
    count = rng.choice((2, 2, 3))
    pitch = rng.uniform(1.15, 1.4)
    lines = rng.randint(4, 6)
    for column in range(count):
        x = 100 + column * 1500 / count
        page.ragged(x, 160, (4, 11), lines - rng.randint(0, 1), pitch)
    table(page, 160 + lines * pitch * H + 2.5 * H, rng.randint(3, 8))


def prose_then_table(page: BoxPage) -> None:
    """Two columns, a table over both of them, two columns."""
    y = columns(page, 2, lines=14)
    if page.boxes[-1][2] == 40:
        page.boxes.pop()
    y = table(page, y + 2 * H, 6)
    columns(page, 2, y + 2 * H, lines=14)


def table(page: BoxPage, y: float = 100, lines: int = 0) -> float:
    """A table of text and numbers."""
    rng = page.rng
    count = rng.randint(3, 6)
    wide = 100 + 1600 * 0.4
    pitch = rng.uniform(1.4, 2.6)
    kinds = [rng.choice(("number", "code", "text")) for _ in range(count - 1)]
    for _ in range(lines or rng.randint(5, 20)):
        page.line(100, y, page.words(4, 18))
        for i, kind in enumerate(kinds):
            x = wide + (i + 1) * 960 / count
            if kind == "number":
                page.right(x, y, page.words(1, 4.5))
            elif kind == "code":
                page.line(x - 120, y, 3.5 * H)
            elif rng.random() < 0.9:
                page.line(x - 130, y, page.words(1.5, 5))
        y += pitch * H
    return y


def receipt(page: BoxPage) -> None:
    """Heading, items with prices at the right, totals."""
    rng = page.rng
    y, pitch = 60.0, rng.uniform(1.1, 1.8)
    for _ in range(rng.randint(2, 5)):
        width = page.words(8, 20)
        page.line(500 - width / 2, y, width)
        y += pitch * H
    y += H
    for _ in range(rng.randint(4, 16)):
        page.line(100, y, page.words(5, 22))
        kind = rng.random()
        if kind < 0.4:
            y += pitch * H
            page.line(130, y, page.words(2, 5))
            page.line(130 + 9 * H, y, page.words(1, 3))
        page.right(900, y, page.words(2, 4))
        y += pitch * H
    y += H
    for _ in range(rng.randint(2, 6)):
        page.line(rng.choice((100, 400)), y, page.words(3, 9))
        page.right(900, y, page.words(2, 5))
        y += pitch * H


def key_values(page: BoxPage) -> None:
    """Labels at the left, values at the right or in a column of their own."""
    rng = page.rng
    y, pitch, far = 100.0, rng.uniform(1.2, 2.8), rng.random() < 0.5
    longest = rng.uniform(4, 9)
    for _ in range(rng.randint(4, 14)):
        page.line(100, y, page.words(2, longest))
        if far:
            page.right(1200, y, page.words(2, 11))
        else:
            page.line(100 + (longest + rng.uniform(1.0, 1.2)) * H, y, page.words(2, 14))
        y += pitch * H


def form(page: BoxPage) -> None:
    """Two pairs of label and value in a row, found as one box a pair or as two."""
    rng = page.rng
    y, apart = 100.0, rng.random() < 0.5
    pitch = rng.uniform(1.3 if apart else 1.65, 2.6)
    for _ in range(rng.randint(4, 12)):
        for x in (100, 950):
            if apart:
                page.line(x, y, page.words(2, 5))
                page.line(x + 6 * H, y, page.words(2, 12))
            else:
                page.line(x, y, page.words(6, 16))
        y += pitch * H


def statement(page: BoxPage) -> None:
    """A financial statement: indented items, numbers in two to four columns."""
    rng = page.rng
    y, pitch, count = 100.0, rng.uniform(1.25, 1.8), rng.randint(2, 4)
    for _ in range(rng.randint(3, 5)):
        page.line(100, y, page.words(6, 12))
        y += pitch * H
        for _ in range(rng.randint(3, 8)):
            page.line(100 + rng.choice((1, 2)) * H, y, page.words(5, 22))
            for i in range(count):
                page.right(1000 + i * 250, y, page.words(3, 7))
            y += pitch * H
        y += rng.choice((0.0, 1.0)) * H


def chat(page: BoxPage) -> None:
    """Bubbles at the left and the right, one after the other."""
    rng = page.rng
    y = 60.0
    for _ in range(rng.randint(6, 20)):
        mine, lines, width = rng.random() < 0.5, rng.randint(1, 3), page.words(4, 18)
        for i in range(lines):
            own = width if i < lines - 1 else page.words(2, width / H)
            page.line(900 - width if mine else 100, y, own)
            y += 1.35 * H
        y += rng.uniform(0.8, 2.0) * H


def numbered_code(page: BoxPage) -> None:
    """Lines of code behind their numbers."""
    y = 60.0
    for i in range(page.rng.randint(10, 40)):
        page.right(100 + 2 * H, y, (0.6 if i < 9 else 1.1) * H)
        page.line(100 + (3.5 + page.rng.choice((0, 2, 4))) * H, y, page.words(4, 28))
        y += 1.4 * H


def single_column(page: BoxPage) -> None:
    """Prose with headings and a list."""
    y = 100.0
    for _ in range(4):
        page.line(100, y, page.words(6, 14), 1.4 * H)
        y = page.prose(100, y + 2 * H, 1400, page.rng.randint(4, 10), 1.4)
        for _ in range(page.rng.randint(0, 4)):
            page.line(100, y, 0.8 * H)
            page.line(100 + 1.8 * H, y, page.words(10, 40))
            y += 1.4 * H
        y += H


def words_apart(page: BoxPage) -> None:
    """One column of prose whose lines were found in two or three pieces."""
    y = 100.0
    for _ in range(page.rng.randint(8, 30)):
        x, end = 100.0, 1300 * page.rng.choice((1.0, 1.0, 1.0, 0.5))
        for _ in range(page.rng.randint(0, 2)):
            width = page.rng.uniform(0.2, 0.5) * (end - x)
            page.line(x, y, width)
            x += width + page.rng.uniform(0.2, 0.5) * H
        page.line(x, y, end - x)
        y += 1.35 * H


COLUMNS: tuple[Callable[[BoxPage], object], ...] = (
    two_columns, three_columns, four_columns, paper, caption_between, headline_over_two_of_three,
    columns_of_lists, side_bar, addresses_over_table, prose_then_table,
)  # fmt: skip
ROWS: tuple[Callable[[BoxPage], object], ...] = (
    table, receipt, key_values, form, statement, chat, numbered_code, single_column,
    words_apart,
)  # fmt: skip


# What is done to the boxes of a page, as arguments of as_polygons.
STATES: tuple[dict[str, float], ...] = (
    {},
    {"noise": 0.05, "missing": 0.02},
    {"noise": 0.04, "skew": -9.0},
    {"noise": 0.04, "skew": 4.0},
)


def as_polygons(
    page: BoxPage, *, skew: float = 0.0, noise: float = 0.0, missing: float = 0.0
) -> list[Polygon]:
    """Return the page's boxes, rotated by `skew` degrees; noise is a share of a line's height."""
    angle, rng = np.radians(skew), page.rng
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    polygons = []
    for x, y, width, height in page.boxes:
        if rng.random() < missing:
            continue
        a, b, c, d = (rng.gauss(0, noise) * H for _ in range(4))
        left, top, right, bottom = x + a, y + b, x + width + c, y + height + d
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        polygons.append(np.asarray(np.array(corners) @ turn + 500, np.float32))
    return polygons
