"""Shards: files of rendered lines with the teacher's features of them.

`python -m model.training.shards TEACHER CHARSET FACES OUT --seed S --first A --last B` writes the
shards A to B - 1 that do not exist yet. A shard is a .npz: for each width W, `W/image`
N x 48 x W x 3 uint8 RGB, `W/trunk` N x T x 384 and `W/features` N x T x 120 float16; `texts` is
JSON by width.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from model.training.lines import LineSource, RenderedLine, as_input
from model.training.teacher import Teacher

LINES_PER_SHARD = 1024
_BATCH = 8

Float16s = npt.NDArray[np.float16]


@dataclass(frozen=True)
class Rows:
    """Lines of one width: images, the outputs of the teacher's trunk and neck, and texts."""

    width_px: int
    images: npt.NDArray[np.uint8]
    trunk: Float16s
    features: Float16s
    texts: list[str]


def write_shard(path: Path, lines: list[RenderedLine], teacher: Teacher) -> None:
    """Run the teacher on lines and write both; a shard is written completely or not at all."""
    by_width: dict[int, list[RenderedLine]] = defaultdict(list)
    for line in lines:
        by_width[line.image.shape[1]].append(line)
    arrays: dict[str, npt.NDArray[np.uint8] | Float16s] = {}
    for width, rows in by_width.items():
        trunk, features = [], []
        for start in range(0, len(rows), _BATCH):
            outputs = teacher.run(as_input([line.image for line in rows[start : start + _BATCH]]))
            trunk.append(outputs[0].astype(np.float16))
            features.append(outputs[1].astype(np.float16))
        arrays[f"{width}/image"] = np.stack([line.image for line in rows])
        arrays[f"{width}/trunk"] = np.concatenate(trunk)
        arrays[f"{width}/features"] = np.concatenate(features)
    texts = {width: [line.text for line in rows] for width, rows in by_width.items()}
    save_shard(path, arrays, texts)


def save_shard(
    path: Path,
    arrays: Mapping[str, npt.NDArray[np.uint8] | Float16s],
    texts: Mapping[int, Sequence[str]],
) -> None:
    """Write a shard's arrays and its texts by width, completely or not at all."""
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, texts=np.array(json.dumps(texts)), **arrays)  # type: ignore[arg-type]
    partial.rename(path)


def read_shard(path: Path, *, images: bool = True, widest_px: int = 10_000) -> Iterator[Rows]:
    """Yield a shard's lines by width; without `images` these are not loaded."""
    with np.load(path) as shard:
        for width, texts in json.loads(str(shard["texts"])).items():
            if int(width) <= widest_px:
                pixels = shard[f"{width}/image"] if images else np.empty((0,), np.uint8)
                trunk, features = shard[f"{width}/trunk"], shard[f"{width}/features"]
                yield Rows(int(width), pixels, trunk, features, texts)


def read_charset(path: Path) -> list[str]:
    """Return the characters of a charset file; the blank and the space are not in it."""
    return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")


def main() -> None:
    """Write the shards that the command line names."""
    parser = argparse.ArgumentParser()
    for name in ("teacher", "charset", "faces", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--last", type=int, required=True)
    parser.add_argument(
        "--step", type=int, default=1, help="every nth shard, for several processes"
    )
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    source = LineSource(
        options.faces, set(read_charset(options.charset)), seed=options.seed, held_out=False
    )
    teacher = Teacher(options.teacher)
    for number in range(options.first, options.last, options.step):
        path = options.out / f"{number:05}.npz"
        if path.exists():
            continue
        first = number * LINES_PER_SHARD
        write_shard(path, [source.render(first + i) for i in range(LINES_PER_SHARD)], teacher)
        print(path.name, flush=True)


if __name__ == "__main__":
    main()
