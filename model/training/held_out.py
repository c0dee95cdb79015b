"""Render the held-out sets: fonts, texts and degradations that are not used in training.

`python -m model.training.held_out CHARSET FACES OUT` writes a folder for each kind, with an image
for each line and `labels.jsonl`, which bench/recognise.py reads.
"""

import argparse
import json
from pathlib import Path

from PIL import Image

from model.training.lines import LineSource
from model.training.shards import read_charset

KINDS = ("english", "chinese", "mixed", "numbers", "random")
_SEED = 77


def main() -> None:
    """Render the sets that the command line names."""
    parser = argparse.ArgumentParser()
    for name in ("charset", "faces", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--lines", type=int, default=400, help="of each kind")
    options = parser.parse_args()
    charset = set(read_charset(options.charset))
    source = LineSource(options.faces, charset, seed=_SEED, held_out=True)
    for kind in KINDS:
        folder = options.out / kind
        folder.mkdir(parents=True, exist_ok=True)
        labels = []
        for number in range(options.lines):
            line = source.render_full_size(number, kind)
            name = f"{number:04}.png"
            Image.fromarray(line.image).save(folder / name)
            height, width = line.image.shape[:2]
            box = [[0, 0], [width, 0], [width, height], [0, height]]
            labels.append({"image": name, "lines": [{"text": line.text, "polygon": box}]})
        listed = "".join(json.dumps(label, ensure_ascii=False) + "\n" for label in labels)
        (folder / "labels.jsonl").write_text(listed, encoding="utf-8")


if __name__ == "__main__":
    main()
