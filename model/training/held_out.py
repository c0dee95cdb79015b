"""Render the held-out sets: fonts, texts and degradations that are not used in training.

`python -m model.training.held_out CHARSET FACES OUT` writes a folder for each kind, with an image
for each line and `labels.jsonl`, which bench/recognise.py reads.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from model.training.charset_file import read_charset
from model.training.degrade import HELD_OUT, apply
from model.training.render import render_line
from model.training.source import Source
from model.training.text import KINDS

_SEED = 77


@dataclass(frozen=True)
class HeldOutLine:
    """A line's image, H x W x 3, RGB, and its text."""

    image: npt.NDArray[np.uint8]
    text: str


class HeldOutLines(Source):
    """Lines by number: the same number gives the same line."""

    def render(self, number: int, kind: str) -> HeldOutLine:
        """Return line `number` of a kind."""
        rng = self._rng(f"{kind}/{number}")
        while True:
            text = self._text(rng, kind)
            try:
                pixels = render_line(rng, text, self._faces)
            except LookupError:
                continue
            degraded = apply(rng, pixels, HELD_OUT)
            return HeldOutLine(np.clip(degraded, 0, 255).astype(np.uint8), text)


def main() -> None:
    """Render the sets that the command line names."""
    parser = argparse.ArgumentParser()
    for name in ("charset", "faces", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--lines", type=int, default=400, help="of each kind")
    options = parser.parse_args()
    charset = set(read_charset(options.charset))
    source = HeldOutLines(options.faces, charset, seed=_SEED, held_out=True)
    for kind in KINDS:
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
