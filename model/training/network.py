"""The network: convolutions, two bidirectional LSTMs, a CTC classifier.

The trunk has the shape of the teacher's (PP-OCRv6 small) less the blocks that `Shape` leaves out,
and begins with its weights; in the neck LSTMs stand where the teacher's attention stood.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

FEATURES, TRUNK = 120, 384
_STEM, _MIDDLE, _LAST = 96, 192, 384  # channels of the stages
FULL = (192, 192, 192, 192, *(6 * (384,)), 384, 768, 768)


@dataclass(frozen=True)
class Shape:
    """How wide the network is inside."""

    # Hidden channels of each block, in the order of computation: three of the stem, the middle
    # stage's shrinking one and its six, the last stage's shrinking one and its two.
    widths: tuple[int, ...] = FULL
    hidden: int = 144  # units of an LSTM in one direction


class Mixer(nn.Module):
    """A depthwise convolution, if `squeezed` weighted by channel, and a residual pair of 1 x 1."""

    def __init__(self, channels: int, width: int, *, squeezed: bool) -> None:
        super().__init__()
        self.spatial = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.squeeze = nn.Conv2d(channels, channels // 4, 1) if squeezed else None
        self.excite = nn.Conv2d(channels // 4, channels, 1) if squeezed else None
        self.expand = nn.Conv2d(channels, width, 1)
        self.reduce = nn.Conv2d(width, channels, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Return N x C x H x W of the same."""
        images = self.weighted(self.spatial(images))
        return images + self.reduce(functional.gelu(self.expand(images)))

    def weighted(self, images: Tensor) -> Tensor:
        """Return the images with each channel weighted by what all channels' means are."""
        if self.squeeze is None or self.excite is None:
            return images
        mean = images.mean((2, 3), keepdim=True)
        return images * functional.hardsigmoid(self.excite(functional.relu(self.squeeze(mean))))


class Shrink(nn.Module):
    """Halve the height and double the channels."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.spatial = nn.Conv2d(channels, channels, 3, (2, 1), padding=1, groups=channels)
        self.expand = nn.Conv2d(channels, width, 1)
        self.reduce = nn.Conv2d(width, 2 * channels, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Return N x 2 C x H/2 x W of N x C x H x W."""
        output: Tensor = self.reduce(functional.gelu(self.expand(self.spatial(images))))
        return output


class Stem(nn.Module):
    """From pixels to 96 channels at a quarter of the height and width."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 48, 3, 2, padding=1)
        self.narrow = nn.Conv2d(48, 24, 2)
        self.widen = nn.Conv2d(24, 48, 2)
        self.join = nn.Conv2d(96, 48, 3, 2, padding=1)
        self.last = nn.Conv2d(48, 96, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Return N x 96 x 12 x W/4 of N x 3 x 48 x W."""
        edges = functional.relu(self.first(images))
        # Zeros below and to the right: what ONNX calls SAME_UPPER.
        fine = functional.relu(self.narrow(functional.pad(edges, (0, 1, 0, 1))))
        fine = functional.relu(self.widen(functional.pad(fine, (0, 1, 0, 1))))
        coarse = functional.max_pool2d(functional.pad(edges, (0, 1, 0, 1)), 2, 1)
        joined = functional.relu(self.join(torch.cat([coarse, fine], 1)))
        return functional.relu(self.last(joined))


class Trunk(nn.Module):
    """The convolutions: N x 3 x 48 x W images to N x T x 384 features, T = W/8."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        stem, middle, last = shape.widths[:3], shape.widths[3:10], shape.widths[10:]
        self.stem = nn.Sequential(Stem(), *_mixers(_STEM, stem))
        self.middle = nn.Sequential(Shrink(_STEM, middle[0]), *_mixers(_MIDDLE, middle[1:]))
        self.last = nn.Sequential(Shrink(_MIDDLE, last[0]), *_mixers(_LAST, last[1:]))

    @property
    def blocks(self) -> list[Mixer | Shrink]:
        """The blocks after the stem's own convolutions, in the order of computation."""
        return [*self.stem[1:], *self.middle, *self.last]  # type: ignore[list-item]

    def forward(self, images: Tensor) -> Tensor:
        """Return N x T x 384."""
        # Channels beside each other in memory: a sixth faster on CPUs.
        images = images.contiguous(memory_format=torch.channels_last)
        maps = self.last(self.middle(self.stem(images)))
        return functional.avg_pool2d(maps, (3, 2)).squeeze(2).transpose(1, 2)


class Neck(nn.Module):
    """What reads along the line: N x T x 384 to N x T x 120, in both directions."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.direct = nn.Linear(TRUNK, FEATURES)
        self.entry = nn.Linear(TRUNK, FEATURES)
        self.near = nn.Conv1d(FEATURES, FEATURES, 7, padding=3, groups=FEATURES)
        self.lstm = nn.LSTM(FEATURES, shape.hidden, 2, bidirectional=True, batch_first=True)
        self.exit = nn.Linear(2 * shape.hidden, FEATURES)
        self.norm = nn.LayerNorm(FEATURES, eps=1e-6)

    def forward(self, trunk: Tensor) -> Tensor:
        """Return the features that the classifier reads."""
        entry = functional.silu(self.entry(trunk))
        entry = entry + functional.silu(self.near(entry.transpose(1, 2)).transpose(1, 2))
        far, _ = self.lstm(entry)
        output: Tensor = self.norm(entry + self.exit(far)) + functional.silu(self.direct(trunk))
        return output


class Crnn(nn.Module):
    """The whole recogniser: images to CTC logits, N x T x classes."""

    def __init__(self, shape: Shape, classes: int) -> None:
        super().__init__()
        self.trunk = Trunk(shape)
        self.neck = Neck(shape)
        self.classifier = nn.Linear(FEATURES, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits; class 0 is the blank, the last the space."""
        logits: Tensor = self.classifier(self.neck(self.trunk(images)))
        return logits


def _mixers(channels: int, widths: Sequence[int]) -> Iterator[Mixer]:
    """Yield blocks, the first and every other one squeezed; of the stem's, the first alone."""
    for number, width in enumerate(widths):
        squeezed = number == 0 if channels == _STEM else number % 2 == 0
        yield Mixer(channels, width, squeezed=squeezed)


def convolutions(trunk: Trunk) -> Iterator[nn.Conv2d]:
    """Yield a trunk's convolutions in the order of its computation."""
    stem: Stem = trunk.stem[0]  # type: ignore[assignment]
    yield from (stem.first, stem.narrow, stem.widen, stem.join, stem.last)
    for block in trunk.blocks:
        squeeze = (block.squeeze, block.excite) if isinstance(block, Mixer) else ()
        layers = (block.spatial, *squeeze, block.expand, block.reduce)
        yield from (layer for layer in layers if layer is not None)
