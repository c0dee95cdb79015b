"""Render the held-out sets: fonts, texts and degradations that are not used in training.

`python -m model.training.held_out CHARSET FACES OUT` writes a folder for each kind, with an image
for each line and `labels.jsonl`, which bench/recognise.py reads.
"""

import argparse
import json
import random
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from model.training.charset_file import read_charset
from model.training.degrade import HELD_OUT, HELD_OUT_SMALL, apply
from model.training.fonts import opened
from model.training.held_out_texts import KINDS as OWN_KINDS
from model.training.held_out_texts import HeldOutTexts
from model.training.render import SIZES_PX, FloatImage, coloured, ink, render_line
from model.training.source import Source
from model.training.text import KINDS
from model.training.worn_print import EFFECTS

_SEED = 77
_SMALL_PX = (10, 14)  # of the font of small amounts
SETS = (*KINDS, *OWN_KINDS)


@dataclass(frozen=True)
class HeldOutLine:
    """A line's image, H x W x 3, RGB, and its text."""

    image: npt.NDArray[np.uint8]
    text: str


class HeldOutLines(Source):
    """Lines by number: the same number gives the same line."""

    @cached_property
    def _texts(self) -> HeldOutTexts:
        return HeldOutTexts(self._charset)

    def render(self, number: int, kind: str) -> HeldOutLine:
        """Return line `number` of one of SETS."""
        rng = self._rng(f"{kind}/{number}")
        while True:
            text = self._text(rng, kind) if kind in KINDS else self._texts.generate(rng, kind)
            try:
                pixels = self._rendered(rng, text, kind)
            except LookupError:
                continue
            degraded = apply(rng, pixels, HELD_OUT_SMALL if kind == "small" else HELD_OUT)
            return HeldOutLine(np.clip(degraded, 0, 255).astype(np.uint8), text)

    def _rendered(self, rng: random.Random, text: str, kind: str) -> FloatImage:
        """Return a line before it is degraded.

        Raises:
            LookupError: no face has the text.

        """
        if kind not in {"accents", "small", "worn"}:
            return render_line(rng, text, self._faces)
        face = self._faces.pick(rng, text)
        if kind == "accents" and face.chinese:
            raise LookupError("letters with accents are as wide as Chinese ones there")
        size = rng.randint(*_SMALL_PX) if kind == "small" else rng.choice(SIZES_PX)
        mask = ink(rng, text, opened(face.path, face.index, size))
        return rng.choice(EFFECTS)(rng, mask) if kind == "worn" else coloured(rng, mask)


def main() -> None:
    """Render the sets that the command line names."""
    parser = argparse.ArgumentParser()
    for name in ("charset", "faces", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--lines", type=int, default=1000, help="of each kind")
    parser.add_argument("--kinds", nargs="+", choices=SETS, default=SETS)
    options = parser.parse_args()
    charset = set(read_charset(options.charset))
    source = HeldOutLines(options.faces, charset, seed=_SEED, held_out=True)
    for kind in options.kinds:
        folder = options.out / kind
        folder.mkdir(parents=True, exist_ok=True)
        labels = []
        for number in range(options.lines):
            line = source.render(number, kind)
            name = f"{number:04}.png"
            Image.fromarray(line.image).save(folder / name)
            height, width = line.image.shape[:2]
            box = [[0, 0], [width, 0], [width, height], [0, height]]
            labels.append({"image": name, "lines": [{"text": line.text, "polygon": box}]})
        listed = "".join(json.dumps(label, ensure_ascii=False) + "\n" for label in labels)
        (folder / "labels.jsonl").write_text(listed, encoding="utf-8")


if __name__ == "__main__":
    main()
