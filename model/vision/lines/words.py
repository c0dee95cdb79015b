"""The words of a line, or its characters: where each is on the page, and how sure it is.

A CTC network's output has a step for each 8 columns, and says in which one it was certain of a
character. Between two words the line is cut where there is no ink, or the least, near the place
that their characters' steps and widths suggest. A word's box is the box of its ink.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import cv2
import numpy as np

from model.options import WordMode
from model.vision.crop import crop_grey
from model.vision.inference import Mask
from model.vision.ink import ink_of
from model.vision.lines.characters import is_wide, relative_width
from model.vision.lines.trace import Trace
from model.vision.lines.vertical_layout import Horizontal
from model.vision.polygon import Numbers, parts_of

_BEYOND = 0.15  # of a line's height, above and below it: letters of tight boxes are cut off
_REACH = 1.6  # half widths of a character, from its middle, in which its ink is
_AWAY = 9.0  # cost of a cut as many heights away from its place, squared; ink from top to bottom: 1
_HALF = 0.5  # a pixel, from its middle to its edge
_FARTHEST = 0.6  # heights of a line, from the place where two words would be cut
_SEARCH = 0.08  # of a line's height, beyond the middles of two characters: a cut may be there


@dataclass(frozen=True, slots=True)
class ReadWord:
    """A word's text, confidence and box on the page, in px from the top left of its text."""

    text: str
    confidence: float
    polygon: list[list[int]]


def words_of(trace: Trace, text: str, confidence: float, mode: WordMode) -> tuple[ReadWord, ...]:
    """Return the words of a line that was read as this text.

    If all of it is right, so is each word: none has a lower confidence than the line.
    """
    groups = list(grouped(text, mode))
    if not groups:
        return ()
    if trace.column is None:
        parts = _parts(trace, text, groups)
    else:
        middles = trace.middles()
        parts = _column_parts(trace.column, [middles[group] for group in groups])
    confidences = trace.confidences(groups, confidence)
    polygons = np.rint(parts_of(trace.box, parts) + np.float32(_HALF)).astype(int).tolist()
    return tuple(
        ReadWord(text[group[0] : group[-1] + 1], sure, polygon)
        for group, sure, polygon in zip(groups, confidences, polygons, strict=True)
    )


def grouped(text: str, mode: WordMode) -> Iterator[list[int]]:
    """Yield the indices of the characters of each word of a text; white space is in none."""
    group: list[int] = []
    for index, character in enumerate(text):
        space = character.isspace()
        alone = mode is WordMode.CHAR or is_wide(character)
        if group and (space or alone):
            yield group
            group = []
        if alone and not space:
            yield [index]
        elif not space:
            group.append(index)
    if group:
        yield group


def _parts(trace: Trace, text: str, groups: Sequence[list[int]]) -> Numbers:
    """Return the places of words in a box, N x 4: left, top, right, bottom, as shares of it."""
    ink = ink_of(crop_grey(trace.pixels, trace.box, _BEYOND))
    beyond = round(_BEYOND / (1 + 2 * _BEYOND) * len(ink))
    height, width = len(ink) - 2 * beyond, ink.shape[1]
    inner = ink[beyond : beyond + height].view(np.uint8)
    share = cv2.reduce(inner, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32F)[0] / height
    widths = [relative_width(character) for character in text]
    places = (trace.middles() * width).tolist()
    cuts = [0, *_cuts(share, places, widths, groups, height), width]
    em = _em(places, widths, height)
    columns = share.tolist()
    spans = []
    for (first, last), group in zip(pairwise(cuts), groups, strict=True):
        least = round(places[group[0]] - _REACH / 2 * em * widths[group[0]])
        most = round(places[group[-1]] + _REACH / 2 * em * widths[group[-1]]) + 1
        found = _inked(columns, max(first, least), min(last, most))
        spans.append(found or (min(first, width - 1), max(first + 1, last)))
    rows = _rows(ink, beyond, spans)
    edges = [
        (left, top - beyond, right, bottom - beyond)
        for (left, right), (top, bottom) in zip(spans, rows, strict=True)
    ]
    return _shares(edges, width, height)


def _em(places: Sequence[float], widths: Sequence[float], height: int) -> float:
    """Return the width of a Chinese character of a line, by the distances of its characters.

    Of a line of one character it is the line's height.
    """
    distances = [
        (after - before) / (wide + narrow) * 2
        for (before, after), (wide, narrow) in zip(pairwise(places), pairwise(widths), strict=True)
    ]
    return max(1.0, median(distances)) if distances else float(height)


def _cuts(
    columns: Numbers,
    places: Sequence[float],
    widths: Sequence[float],
    groups: Sequence[list[int]],
    height: int,
) -> list[int]:
    """Return the columns at which words are cut, of columns whose shares of ink are known."""
    between = [
        (
            (places[one] * widths[other] + places[other] * widths[one]),
            (widths[one] + widths[other]),
            places[one],
            places[other],
        )
        for one, other in ((before[-1], after[0]) for before, after in pairwise(groups))
    ]
    if not between:
        return []
    weighted, total, before, after = np.array(between).T[..., None]
    middles = weighted / total
    far = round(_FARTHEST * height)
    away = np.arange(-far, far + 1)
    candidates = np.rint(middles).astype(np.intp) + away
    costs = (
        columns[candidates.clip(0, len(columns) - 1)]
        + _AWAY * ((candidates - middles) / height) ** 2
    )
    more = _SEARCH * height
    costs[(candidates < before - more) | (candidates > after + more)] += 2.0
    best = candidates[np.arange(len(candidates)), costs.argmin(axis=1)]
    cuts: list[int] = np.maximum.accumulate(best.clip(0, len(columns))).tolist()
    return cuts


def _inked(columns: Sequence[float], first: int, last: int) -> tuple[int, int] | None:
    """Return the first column with ink of a range, and the one after its last; None without ink."""
    while first < last and not columns[first]:
        first += 1
    while first < last and not columns[last - 1]:
        last -= 1
    return (first, last) if first < last else None


def _rows(ink: Mask, beyond: int, spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the first row with ink of each range of columns, and the one after its last.

    The first and last rows, `beyond` the line, count only as far as the line's ink goes on in them.
    """
    padded = cv2.copyMakeBorder(ink.view(np.uint8), 0, 0, 0, 1, cv2.BORDER_CONSTANT)
    inked = np.maximum.reduceat(padded, np.array(spans).ravel(), axis=1)[:, ::2].T.tolist()
    for rows in inked:
        top, bottom = beyond, len(rows) - beyond
        while top < bottom and not rows[top]:
            top += 1
        while top < bottom and not rows[bottom - 1]:
            bottom -= 1
        if top == bottom:
            yield beyond, len(rows) - beyond
            continue
        while top <= beyond and top > 0 and rows[top - 1]:
            top -= 1
        while bottom >= len(rows) - beyond and bottom < len(rows) and rows[bottom]:
            bottom += 1
        yield top, bottom


def _shares(edges: Sequence[tuple[float, float, float, float]], width: int, height: int) -> Numbers:
    """Return edges between pixels as shares of a box, whose corners are middles of pixels."""
    shares: Numbers = (np.array(edges) - _HALF) / (width, height, width, height)
    return shares


def _column_parts(column: Horizontal, middles: Sequence[Numbers]) -> Numbers:
    """Return the places of words in a column of characters below each other."""
    width = column.pixels.shape[1]
    last = len(column.glyphs) - 1
    edges = []
    for each in middles:
        found = np.searchsorted(column.ends, each * width, side="right").clip(max=last)
        glyphs = column.glyphs[found[0] : found[-1] + 1]
        edges.append(
            (
                min(glyph.left for glyph in glyphs),
                min(glyph.top for glyph in glyphs),
                max(glyph.right for glyph in glyphs),
                max(glyph.bottom for glyph in glyphs),
            )
        )
    return _shares(edges, column.width, column.height)
