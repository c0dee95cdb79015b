"""Draw the sets that recognisers are judged by: fonts, texts and wear that are never trained on.

`python -m model.training.held_out CHARSET FACES OUT` writes a folder a kind, each an image a line
and `labels.jsonl`, as bench/recognise.py reads them.
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
    """Draw the sets that the command line names."""
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
            line = source.draw_whole(number, kind)
            name = f"{number:04}.png"
            Image.fromarray(line.image).save(folder / name)
            height, width = line.image.shape[:2]
            box = [[0, 0], [width, 0], [width, height], [0, height]]
            labels.append({"image": name, "lines": [{"text": line.text, "polygon": box}]})
        listed = "".join(json.dumps(label, ensure_ascii=False) + "\n" for label in labels)
        (folder / "labels.jsonl").write_text(listed, encoding="utf-8")


if __name__ == "__main__":
    main()
