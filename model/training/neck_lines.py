"""Rendered lines as a frozen trunk sees them, in batches of one width."""

import random
from collections import defaultdict
from dataclasses import dataclass

import torch
from torch import Tensor

from model.training import widths
from model.training.augment import augmented
from model.training.frozen_trunk import FrozenTrunk
from model.training.render_worker import LineSampler

_AT_ONCE = 8  # lines that go through the trunk together


@dataclass
class _Line:
    trunk: Tensor  # T x 384, float16
    features: Tensor  # T x 120, float16: those of the network before training
    label: list[int]
    used: int = 0


@dataclass(frozen=True)
class NeckBatch:
    """Lines of one width: N x T x 384, N x T x 120, N x L labels padded with 0, N lengths."""

    trunk: Tensor
    features: Tensor
    labels: Tensor
    lengths: Tensor


class NeckLines:
    """Batches of new lines; each line is used a few times, which costs less than rendering it."""

    def __init__(
        self, sampler: LineSampler, trunk: FrozenTrunk, *, batch_px: int, uses: int, seed: int,
        pool: int,
    ) -> None:  # fmt: skip
        """Choose each batch from `pool` lines; use each line `uses` times."""
        self._sampler, self._trunk, self._batch_px, self._uses = sampler, trunk, batch_px, uses
        self._size, self._rng = pool, random.Random(seed)
        self._waiting: dict[int, list[tuple[widths.Pixels, list[int]]]] = defaultdict(list)
        self._pool: dict[int, list[_Line]] = defaultdict(list)
        self.lines = 0  # rendered so far

    def take(self) -> NeckBatch:
        """Return a random batch."""
        while sum(map(len, self._pool.values())) < self._size:
            self._render()
        counts = [len(lines) for lines in self._pool.values()]
        width = self._rng.choices(list(self._pool), counts)[0]
        lines = self._pool[width]
        self._rng.shuffle(lines)
        count = max(1, self._batch_px // width)
        chosen, self._pool[width] = lines[:count], lines[count:]
        for line in chosen:
            line.used += 1
        self._pool[width] += [line for line in chosen if line.used < self._uses]
        lengths = torch.tensor([len(line.label) for line in chosen])
        labels = torch.zeros(len(chosen), int(lengths.max()), dtype=torch.int64)
        for row, line in zip(labels, chosen, strict=True):
            row[: len(line.label)] = torch.tensor(line.label)
        return NeckBatch(
            torch.stack([line.trunk for line in chosen]).float(),
            torch.stack([line.features for line in chosen]).float(), labels, lengths,
        )  # fmt: skip

    def _render(self) -> None:
        """Render a line; send those of its width through the trunk when there are enough."""
        image, text = self._sampler.sample()
        waiting = self._waiting[image.shape[1]]
        waiting.append((image, self._sampler.labels(text)))
        if len(waiting) < _AT_ONCE:
            return
        del self._waiting[image.shape[1]]
        images = augmented(torch.stack([torch.from_numpy(each) for each, _ in waiting]))
        trunk, features = self._trunk.run(images)
        self._pool[image.shape[1]] += [
            _Line(trunk[place], features[place], label) for place, (_, label) in enumerate(waiting)
        ]
        self.lines += len(waiting)
