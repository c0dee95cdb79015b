"""Batches of lines of one width, read from shards in an order that a seed determines."""

import itertools
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from model.training.lines import as_input
from model.training.shards import Float16s, Rows, read_shard

_POOL = 3  # shards mixed at a time


@dataclass(frozen=True)
class Batch:
    """Lines of one width and the teacher's features of them."""

    images: Tensor | None  # N x 3 x 48 x W
    trunk: Tensor  # N x T x 384
    features: Tensor  # N x T x 120
    texts: list[str]

    def on(self, device: str) -> "Batch":
        """Return the batch on the network's device."""
        images = None if self.images is None else self.images.to(device)
        return Batch(images, self.trunk.to(device), self.features.to(device), self.texts)


def batches(
    folder: Path, *, seed: int, images: bool, widest_px: int, size_px: int
) -> Iterator[Batch]:
    """Yield batches of at most `size_px` columns in all, endlessly; new shards are read, too."""
    for epoch in itertools.count():
        paths = sorted(folder.glob("[0-9]*[0-9].npz"))
        rng = random.Random(f"{seed}/{epoch}")
        rng.shuffle(paths)
        for start in range(0, len(paths), _POOL):
            pool = paths[start : start + _POOL]
            yield from _pooled(pool, rng, images=images, widest_px=widest_px, size_px=size_px)


def _pooled(
    paths: Sequence[Path], rng: random.Random, *, images: bool, widest_px: int, size_px: int
) -> Iterator[Batch]:
    """Yield the batches of some shards in random order."""
    by_width: dict[int, list[tuple[Rows, int]]] = defaultdict(list)
    for path in paths:
        for rows in read_shard(path, images=images, widest_px=widest_px):
            by_width[rows.width_px] += [(rows, i) for i in range(len(rows.texts))]
    groups: list[list[tuple[Rows, int]]] = []
    for width, lines in by_width.items():
        rng.shuffle(lines)
        size = max(1, size_px // width)
        groups += [lines[start : start + size] for start in range(0, len(lines), size)]
    rng.shuffle(groups)
    for group in groups:
        yield Batch(
            torch.from_numpy(as_input([rows.images[i] for rows, i in group])) if images else None,
            _floats([rows.trunk[i] for rows, i in group]),
            _floats([rows.features[i] for rows, i in group]),
            [rows.texts[i] for rows, i in group],
        )


def _floats(halves: Sequence[Float16s]) -> Tensor:
    return torch.from_numpy(np.stack(halves).astype(np.float32))
