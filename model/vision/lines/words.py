"""The words of a line: where each is on the page, and how sure its characters are.

A CTC network's output has a step for each 8 columns, and says in which steps it was certain of a
character. Between two characters the line is cut at the column with the least ink.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from model.options import WordMode
from model.vision.ink import ink_of
from model.vision.lines.recogniser import Output
from model.vision.lines.straighten import Straightened
from model.vision.lines.vertical_layout import Horizontal
from model.vision.polygon import Numbers, Polygon, part_of

_WIDE = {"W", "F"}  # Chinese, kana, full-width marks: a word each
_OFF_MIDDLE = 0.15  # of ink as high as the line: the cost of a cut next to a character's middle

Part = tuple[float, float, float, float]  # left, top, right, bottom, as shares of a line's image


@dataclass(frozen=True, slots=True)
class ReadWord:
    """A word's text, confidence and box on the page, which begins at the top left of its text."""

    text: str
    confidence: float
    polygon: Polygon

    def moved(self, right: float, down: float) -> "ReadWord":
        """Return the word at another place of the page."""
        moved: Polygon = self.polygon + np.array([right, down], np.float32)
        return replace(self, polygon=moved)


def words_of(line: Straightened, output: Output, text: str, mode: WordMode) -> tuple[ReadWord, ...]:
    """Return the words of a line, whose text may differ from the output in single characters."""
    first = len(output.decoded.text) - len(output.decoded.text.lstrip())
    groups = list(grouped(text, mode))
    if not groups:
        return ()
    steps = output.decoded.steps[first : first + len(text)]
    middles: Numbers = (steps.astype(np.float64) + 0.5) * output.step
    peaks = output.probabilities[steps].max(axis=1)
    if line.column is None:
        parts = _parts(line, [(middles[group[0]], middles[group[-1]]) for group in groups])
    else:
        parts = _column_parts(line.column, [middles[group] for group in groups])
    return tuple(
        ReadWord(
            "".join(text[index] for index in group),
            float(np.prod(peaks[group])),
            part_of(line.box, part),
        )
        for group, part in zip(groups, parts, strict=True)
    )


def grouped(text: str, mode: WordMode) -> Iterator[list[int]]:
    """Yield the indices of the characters of each word of a text; white space is in none."""
    group: list[int] = []
    for index, character in enumerate(text):
        space = character.isspace()
        alone = mode is WordMode.CHAR or unicodedata.east_asian_width(character) in _WIDE
        if group and (space or alone):
            yield group
            group = []
        if alone and not space:
            yield [index]
        elif not space:
            group.append(index)
    if group:
        yield group


def _parts(line: Straightened, middles: Sequence[tuple[float, float]]) -> list[Part]:
    """Return the places of words, of the middles of whose first and last characters are known."""
    ink = ink_of(line.pixels)
    height, width = ink.shape
    columns = ink.sum(axis=0, dtype=np.float64) / height
    cuts = [
        _cut(columns, before * width, after * width)
        for (_, before), (after, _) in pairwise(middles)
    ]
    parts = []
    for first, last in pairwise([0, *cuts, width]):
        across = first + np.flatnonzero(columns[first:last])
        left, right = (int(across[0]), int(across[-1]) + 1) if across.size else (first, last)
        down = np.flatnonzero(ink[:, left:right].any(axis=1))
        top, bottom = (int(down[0]), int(down[-1]) + 1) if down.size else (0, height)
        parts.append((left / width, top / height, right / width, bottom / height))
    return parts


def _cut(columns: Numbers, before: float, after: float) -> int:
    """Return the column between two characters, whose middles are known, at which they are cut."""
    first = min(len(columns) - 1, round(before))
    last = max(first + 1, min(len(columns), round(after)))
    between = columns[first:last]
    away = np.abs(np.linspace(-1, 1, len(between))) if len(between) > 1 else np.zeros(1)
    return first + int((between + _OFF_MIDDLE * away).argmin())


def _column_parts(column: Horizontal, middles: Sequence[Numbers]) -> list[Part]:
    """Return the places of words in a column of characters below each other."""
    width = column.pixels.shape[1]
    places = [np.searchsorted(column.ends, each * width, side="right") for each in middles]
    last = len(column.glyphs) - 1
    parts = []
    for each in places:
        glyphs = column.glyphs[min(last, each[0]) : min(last, each[-1]) + 1]
        parts.append(
            (
                min(glyph.left for glyph in glyphs) / column.width,
                min(glyph.top for glyph in glyphs) / column.height,
                max(glyph.right for glyph in glyphs) / column.width,
                max(glyph.bottom for glyph in glyphs) / column.height,
            )
        )
    return parts
