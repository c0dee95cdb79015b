"""Render the lines of training: of all sizes, tight, dot-matrix, sealed, degraded.

Small print is rendered small, like on screens and forms, not reduced. Symbols that a text face
lacks come from another one.
"""

import json
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from model.training import degrade, print_effects
from model.training.fonts import Face, Faces, opened
from model.training.line_texts import LineText
from model.training.render import Mask, add_neighbour, add_rules, coloured

Pixels = npt.NDArray[np.uint8]

_SIZES_PX = (18, 20, 22, 24, 28, 32, 36, 42)
_SMALL_PX = (8, 15)  # letters of small print
_CHINESE_PX = 3  # more for small print in Chinese
_SMALL_HEIGHT_PX = 24  # of a line without neighbours, rules and seals
_SMALL_SHARE, _DOT_MATRIX_SHARE, _TIGHT_SHARE, _SEAL_SHARE = 0.2, 0.035, 0.38, 0.02
_RIBBON_SHARE, _WORN_RIBBON_SHARE = 0.08, 0.4
_WORN_STYLE = 0.09  # of worn lines, two fifths are printed by needles


@dataclass(frozen=True)
class FontSet:
    """The faces for text, those with symbols that no text face has, and the coverage of each."""

    faces: Faces
    coverage: Mapping[str, frozenset[int]]

    @classmethod
    def load(cls, folder: Path) -> "FontSet":
        """Return the fonts of a folder that `prepare_fonts` wrote."""
        listed = json.loads((folder / "coverage.json").read_text(encoding="utf-8"))
        coverage = {str(folder / name): frozenset(points) for name, points in listed.items()}
        return cls(Faces(folder / "faces.json", held_out=False), coverage)

    def pick(self, rng: random.Random, shown: str) -> tuple[Face, frozenset[str]]:
        """Return a face, and the symbols of the text that another face must render.

        Raises:
            LookupError: none of the faces tried has the text.

        """
        points = set(map(ord, shown))
        special = {p for p in points if 0x2000 <= p < 0x2E80 or 0x3200 <= p < 0x3400 or p > 0xFFFF}
        special -= set(map(ord, "“”‘’—…•–"))
        for _ in range(40):
            face = self.faces.sample(rng, han=any(p > 0x2E7F for p in points - special))
            missing = points - self.coverage[face.path]
            if not missing:
                return face, frozenset()
            if missing <= special and self.symbol(rng, missing) is not None:
                return face, frozenset(map(chr, missing))
        raise LookupError("no face has all of these characters")

    def symbol(self, rng: random.Random, points: set[int]) -> Face | None:
        """Return a face that has all of these symbols, if there is one."""
        able = [face for face in self.faces.symbols if points <= self.coverage[face.path]]
        return rng.choice(able) if able else None


def render(rng: random.Random, line: LineText, fonts: FontSet) -> Pixels:
    """Return a line as a detector's box cuts it out, H x W x 3, RGB.

    Raises:
        LookupError: no face has the text, or the text has no ink.

    """
    face, missing = fonts.pick(rng, line.shown)
    other = fonts.symbol(rng, set(map(ord, missing))) if missing else None
    mask = _printed(rng, line, _Pen(face, other, missing, rng.choice(_SIZES_PX)))
    small, worn = mask.shape[0] < _SMALL_HEIGHT_PX, line.printing == "worn"
    if line.printing == "high":
        mask = _heightened(rng, mask)
    elif not small:
        mask = add_rules(rng, add_neighbour(rng, mask, face), face)
    if rng.random() < (_WORN_RIBBON_SHARE if worn else _RIBBON_SHARE):
        mask = print_effects.ribbon(rng, mask)
    image = coloured(rng, mask)
    if rng.random() < _SEAL_SHARE and not small:
        stamp = fonts.faces.sample(rng, han=True)
        image = print_effects.seal(rng, image, stamp)
    effects = print_effects.SMALL_PRINT if small else print_effects.TRAINING
    if worn:
        effects = (*print_effects.WORN, *effects)
    return np.clip(degrade.apply(rng, image, effects), 0, 255).astype(np.uint8)


def _printed(rng: random.Random, line: LineText, pen: "_Pen") -> Mask:
    """Return the ink of a line: by needles, small, or at the pen's size."""
    style = {"worn": _WORN_STYLE * rng.random(), "small": 0.5 * _SMALL_SHARE}.get(
        line.printing, rng.random()
    )
    if style < _DOT_MATRIX_SHARE and not _is_chinese(line.shown):
        needles = replace(pen, size_px=rng.randint(9, 12))
        return print_effects.dot_matrix(rng, _ink(rng, line.shown, needles, spaced=False))
    if style < _SMALL_SHARE and line.printing != "worn":
        pen = replace(pen, size_px=_small(rng, line.shown))
    return _ink(rng, line.shown, pen, spaced=style > _SMALL_SHARE)


def _heightened(rng: random.Random, mask: Mask) -> Mask:
    """Return the ink in a crop up to four times as high."""
    above, below = (round(mask.shape[0] * rng.uniform(0, 1.5)) for _ in range(2))
    return np.pad(mask, ((above, below), (0, 0)))


@dataclass(frozen=True)
class _Pen:
    """A text's font at a size, and the font of the symbols that it lacks."""

    face: Face
    symbols: Face | None
    missing: frozenset[str]
    size_px: int

    def font(self, character: str) -> ImageFont.FreeTypeFont:
        """Return the font of a character."""
        face = self.symbols if self.symbols is not None and character in self.missing else self.face
        return opened(face.path, face.index, self.size_px)

    def runs(self, text: str) -> list[str]:
        """Return the parts of a text that have one font each."""
        if self.symbols is None:
            return [text]
        pieces, last = [""], None
        for character in text:
            if (character in self.missing) is not last and pieces[-1]:
                pieces.append("")
            last = character in self.missing
            pieces[-1] += character
        return pieces


def _small(rng: random.Random, text: str) -> int:
    return rng.randint(*_SMALL_PX) + (_CHINESE_PX if _is_chinese(text) else 0)


def _is_chinese(text: str) -> bool:
    return any(0x2E7F < ord(character) < 0xFF00 for character in text)


def _ink(rng: random.Random, text: str, pen: _Pen, *, spaced: bool) -> Mask:
    """Return the text's ink, with margins like those of a detector's boxes."""
    spacing = 0.0
    if spaced and rng.random() < 0.18:
        spacing = rng.uniform(-0.05, 0.35) * pen.size_px
    pieces = list(text) if spacing else pen.runs(text)
    boxes = [pen.font(piece[0]).getbbox(piece, anchor="ls") for piece in pieces]
    starts, x = [], 0.0
    for piece in pieces:
        starts.append(x)
        x += pen.font(piece[0]).getlength(piece) + spacing
    inked = [
        (start + box[0], box[1], start + box[2], box[3])
        for start, box in zip(starts, boxes, strict=True)
        if box[2] > box[0]
    ]
    if not inked:
        raise LookupError("the text has no ink")
    left, top = min(box[0] for box in inked), min(box[1] for box in inked)
    right, bottom = max(box[2] for box in inked), max(box[3] for box in inked)
    above, below, before, after = _margins(rng, bottom - top, pen.size_px)
    size = (
        max(8, math.ceil(right - left) + before + after),
        max(6, math.ceil(bottom - top) + above + below),
    )
    mode = "1" if pen.size_px <= 16 and rng.random() < 0.2 else "L"
    image = Image.new(mode, size, 0)
    canvas = ImageDraw.Draw(image)
    if mode == "1":
        canvas.fontmode = "1"
    for piece, start in zip(pieces, starts, strict=True):
        canvas.text(
            (before - left + start, above - top),
            piece,
            font=pen.font(piece[0]),
            fill=1 if mode == "1" else 255,
            anchor="ls",
        )
    if mode == "1":
        return np.asarray(image, np.float32)
    return np.asarray(image, np.float32) / np.float32(255)


def _margins(rng: random.Random, height: float, size_px: int) -> tuple[int, int, int, int]:
    """Return the margins above, below, before and after; below 0 the line is cut.

    A flat text (a dash, a full stop) is mostly in a box as high as its line.
    """
    if height < 0.45 * size_px and rng.random() < 0.75:
        free = size_px * rng.uniform(0.9, 1.2) - height
        above = free * rng.uniform(0.3, 0.8)
        side = max(0.0, rng.gauss(0.25, 0.2)) * size_px
        return round(above), round(free - above), round(side), round(side * rng.uniform(0.5, 1.5))
    if rng.random() < _TIGHT_SHARE:
        shares = [rng.uniform(-0.06, 0.09) for _ in range(2)] + [
            rng.uniform(-0.03, 0.1) for _ in range(2)
        ]
    else:
        shares = [rng.uniform(0.03, 0.4) for _ in range(2)] + [
            max(0.0, rng.gauss(0.2, 0.2)) for _ in range(2)
        ]
    above, below, before, after = (round(height * share) for share in shares)
    return above, below, before, after
