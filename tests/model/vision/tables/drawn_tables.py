"""Drawn tables with the cell of each line, and the boxes that a detector would find."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from model.vision.inference import Pixels
from model.vision.polygon import Numbers, Polygon

_GROWN = 0.12  # of the letters' height: detectors' boxes are larger than the text

Place = tuple[int, int, int, int]  # row, column, row span, column span


@dataclass(frozen=True, slots=True)
class Style:
    """How a table is drawn: which rules it has, its letters, and its slope in degrees."""

    rules: str = "all"  # all, rows, head, columns, frame, none
    stroke: str = "solid"  # solid, dotted, double, broken
    colour: int = 0
    width: int = 1
    letters: int = 24
    skew: float = 0.0
    padding: float = 0.7
    numbers_right: bool = True


@dataclass(frozen=True, slots=True)
class Drawn:
    """A drawn page, H x W x 3, the boxes of its lines, and the place of each line."""

    pixels: Pixels
    polygons: list[Polygon]
    places: list[Place]
    texts: list[str] = field(default_factory=list)


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """Return the font of the drawn tables."""
    try:
        return ImageFont.truetype("wqy-zenhei.ttc", size)
    except OSError:
        pytest.skip("fonts are missing: apt-get install fonts-wqy-zenhei")


def draw(cells: dict[Place, str], style: Style, *, above: Sequence[str] = ()) -> Drawn:
    """Return a page with a table: its cells' texts, lines separated by line feeds.

    `above` are lines of text over the table, whose row is -1.
    """
    size = style.letters
    pad, pitch = round(style.padding * size), round(1.35 * size)
    columns, rows = _edges(cells, size, pad, pitch, len(above))
    page = Image.new("L", (columns[-1] + 3 * size, rows[-1] + 3 * size), 255)
    pen = ImageDraw.Draw(page)
    for start, end in _rules(cells, columns, rows, style):
        _stroke(pen, start, end, style)
    boxes, places, texts = [], [], []
    for number, text in enumerate(above):
        texts.append(text)
        places.append((-1, 0, 1, 1))
        boxes.append(_text(pen, (columns[0], size + number * pitch), text, size))
    for place, cell in cells.items():
        row, column, row_span, column_span = place
        lines = cell.split("\n") if cell else []
        middle = (rows[row] + rows[row + row_span]) / 2
        for number, text in enumerate(lines):
            y = round(middle + (number - len(lines) / 2) * pitch + (pitch - size) / 2)
            wide = font(size).getlength(text)
            left, right = columns[column], columns[column + column_span]
            x = left + pad
            if column_span > 1:
                x = round((left + right - wide) / 2)
            elif style.numbers_right and text.replace(",", "").replace(".", "").isdigit():
                x = round(right - pad - wide)
            boxes.append(_text(pen, (x, y), text, size))
            places.append(place)
            texts.append(text)
    pixels, polygons = _skewed(np.asarray(page), np.array(boxes), style.skew)
    return Drawn(pixels, polygons, places, texts)


def _edges(
    cells: dict[Place, str], size: int, pad: int, pitch: int, above: int
) -> tuple[list[int], list[int]]:
    """Return the edges of columns and rows, in px."""
    widths = [2 * size] * max(place[1] + place[3] for place in cells)
    heights = [pitch] * max(place[0] + place[2] for place in cells)
    for (row, column, row_span, column_span), text in cells.items():
        lines = text.split("\n")
        if column_span == 1:
            wide = max(font(size).getlength(line) for line in lines)
            widths[column] = max(widths[column], round(wide))
        if row_span == 1:
            heights[row] = max(heights[row], pitch * len(lines))
    columns = [2 * size, *(2 * size + np.cumsum([each + 2 * pad for each in widths]))]
    top = 2 * size + above * pitch
    rows = [top, *(top + np.cumsum([each + 2 * pad for each in heights]))]
    return [int(each) for each in columns], [int(each) for each in rows]


def _rules(
    cells: dict[Place, str], columns: list[int], rows: list[int], style: Style
) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return the ends of the rules that a style has."""
    found = set()
    first, last = (columns[0], rows[0]), (columns[-1], rows[-1])
    for row, column, row_span, column_span in cells:
        left, right = columns[column], columns[column + column_span]
        top, bottom = rows[row], rows[row + row_span]
        if style.rules in {"all", "rows"}:
            found |= {((left, top), (right, top)), ((left, bottom), (right, bottom))}
        if style.rules in {"all", "columns"}:
            found |= {((left, top), (left, bottom)), ((right, top), (right, bottom))}
    if style.rules == "head":
        found |= {((first[0], y), (last[0], y)) for y in (rows[0], rows[1], rows[-1])}
    if style.rules in {"columns", "frame"}:
        found |= {((first[0], y), (last[0], y)) for y in (rows[0], rows[1], rows[-1])}
    if style.rules == "frame":
        found |= {((x, first[1]), (x, last[1])) for x in (columns[0], columns[-1])}
    return sorted(found)


def _stroke(
    pen: ImageDraw.ImageDraw, start: tuple[int, int], end: tuple[int, int], style: Style
) -> None:
    """Draw a rule."""
    axis = 0 if start[1] == end[1] else 1
    pieces = [(start[axis], end[axis])]
    if style.stroke == "dotted":
        step = max(3, style.letters // 6)
        pieces = [(at, at + step // 2) for at in range(start[axis], end[axis], step)]
    elif style.stroke == "broken":
        middle = (start[axis] + end[axis]) // 2
        pieces = [(start[axis], middle - 4), (middle + 4, end[axis])]
    offsets = (-3, 3) if style.stroke == "double" else (0,)
    for begin, stop in pieces:
        for offset in offsets:
            line = [(begin, start[1] + offset), (stop, start[1] + offset)]
            if axis:
                line = [(start[0] + offset, begin), (start[0] + offset, stop)]
            pen.line(line, fill=style.colour, width=style.width)


def _text(pen: ImageDraw.ImageDraw, at: tuple[int, int], text: str, size: int) -> Numbers:
    """Draw a line of text; return the corners of its box, 4 x 2."""
    pen.text(at, text, fill=0, font=font(size))
    left, top, right, bottom = pen.textbbox(at, text, font=font(size))
    grown = _GROWN * size
    left, top, right, bottom = left - grown, top - grown, right + grown, bottom + grown
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


def _skewed(page: Pixels, boxes: Numbers, degrees: float) -> tuple[Pixels, list[Polygon]]:
    """Return a page, H x W x 3, and its boxes turned about its middle."""
    margin = round(abs(np.sin(np.radians(degrees))) * max(page.shape))
    page = np.pad(page, margin, constant_values=255)
    boxes = boxes + margin
    height, width = page.shape
    transform = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
    if degrees:
        page = cv2.warpAffine(page, transform, (width, height), borderValue=255)  # type: ignore[assignment]
    turned = boxes @ transform[:, :2].T + transform[:, 2]
    polygons = [np.asarray(each, np.float32) for each in turned]
    return cv2.cvtColor(page, cv2.COLOR_GRAY2RGB), polygons  # type: ignore[return-value]
