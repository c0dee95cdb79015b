"""The convolutions of the teacher, PP-OCRv6 small, as a torch module."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

_STEM, _MIDDLE, _LAST = 96, 192, 384  # channels of the stages
_WIDTHS = (192, 192, 192, 192, *(6 * (384,)), 384, 768, 768)


class Pointwise(nn.Conv2d):
    """A 1 x 1 convolution as a matrix product: cuDNN would plan again for every new shape."""

    def __init__(self, ins: int, outs: int) -> None:
        super().__init__(ins, outs, 1)

    def forward(self, maps: Tensor) -> Tensor:
        """Return N x outs x H x W."""
        rows = functional.linear(maps.permute(0, 2, 3, 1), self.weight.flatten(1), self.bias)
        return rows.permute(0, 3, 1, 2)


class Mixer(nn.Module):
    """A depthwise convolution, channel weights if `squeezed`, and a residual pair of 1 x 1."""

    def __init__(self, channels: int, width: int, *, squeezed: bool) -> None:
        super().__init__()
        self.spatial = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.squeeze = Pointwise(channels, channels // 4) if squeezed else None
        self.excite = Pointwise(channels // 4, channels) if squeezed else None
        self.expand = Pointwise(channels, width)
        self.reduce = Pointwise(width, channels)

    def forward(self, images: Tensor) -> Tensor:
        """Return N x C x H x W of N x C x H x W."""
        images = self._weighted(self.spatial(images))
        return images + self.reduce(functional.gelu(self.expand(images)))

    def _weighted(self, images: Tensor) -> Tensor:
        """Return the images with each channel weighted (squeeze and excitation)."""
        if self.squeeze is None or self.excite is None:
            return images
        mean = images.mean((2, 3), keepdim=True)
        return images * functional.hardsigmoid(self.excite(functional.relu(self.squeeze(mean))))


class Shrink(nn.Module):
    """Halve the height and double the channels."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.spatial = nn.Conv2d(channels, channels, 3, (2, 1), padding=1, groups=channels)
        self.expand = Pointwise(channels, width)
        self.reduce = Pointwise(width, 2 * channels)

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
        self.last = Pointwise(48, 96)

    def forward(self, images: Tensor) -> Tensor:
        """Return N x 96 x 12 x W/4 of N x 3 x 48 x W."""
        edges = functional.relu(self.first(images))
        # Padded below and to the right: SAME_UPPER in ONNX.
        fine = functional.relu(self.narrow(functional.pad(edges, (0, 1, 0, 1))))
        fine = functional.relu(self.widen(functional.pad(fine, (0, 1, 0, 1))))
        coarse = functional.max_pool2d(functional.pad(edges, (0, 1, 0, 1)), 2, 1)
        joined = functional.relu(self.join(torch.cat([coarse, fine], 1)))
        return functional.relu(self.last(joined))


class TeacherTrunk(nn.Module):
    """The convolutions: N x 3 x 48 x W images to N x T x 384 features, T = W/8."""

    def __init__(self) -> None:
        super().__init__()
        stem, middle, last = _WIDTHS[:3], _WIDTHS[3:10], _WIDTHS[10:]
        self.stem = nn.Sequential(Stem(), *_mixers(_STEM, stem))
        self.middle = nn.Sequential(Shrink(_STEM, middle[0]), *_mixers(_MIDDLE, middle[1:]))
        self.last = nn.Sequential(Shrink(_MIDDLE, last[0]), *_mixers(_LAST, last[1:]))

    @property
    def blocks(self) -> list[Mixer | Shrink]:
        """The blocks after the stem's own convolutions, in the order of computation."""
        return [*self.stem[1:], *self.middle, *self.last]  # type: ignore[list-item]

    def forward(self, images: Tensor) -> Tensor:
        """Return N x T x 384."""
        # Channels last in memory, which is a sixth faster on CPUs.
        images = images.contiguous(memory_format=torch.channels_last)
        maps = self.last(self.middle(self.stem(images)))
        return functional.avg_pool2d(maps, (3, 2)).squeeze(2).transpose(1, 2)


def _mixers(channels: int, widths: Sequence[int]) -> Iterator[Mixer]:
    """Yield blocks; the first and every other one is squeezed, in the stem only the first."""
    for number, width in enumerate(widths):
        squeezed = number == 0 if channels == _STEM else number % 2 == 0
        yield Mixer(channels, width, squeezed=squeezed)


def convolutions(trunk: TeacherTrunk) -> Iterator[nn.Conv2d]:
    """Yield a trunk's convolutions in the order of its computation."""
    stem: Stem = trunk.stem[0]  # type: ignore[assignment]
    yield from (stem.first, stem.narrow, stem.widen, stem.join, stem.last)
    for block in trunk.blocks:
        squeeze = (block.squeeze, block.excite) if isinstance(block, Mixer) else ()
        layers = (block.spatial, *squeeze, block.expand, block.reduce)
        yield from (layer for layer in layers if layer is not None)
