"""The layers of the trunk, with fake quantisation.

The output of every convolution, except those of squeeze and excitation, and of every sum goes
through a `FakeQuantise`.
"""

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from model.training import fake_quantise

_SAMPLED = 200_000  # values that a range is measured on
_COVERED = 0.9999  # share of the values that a range covers, at either end


class FakeQuantise(nn.Module):
    """Quantises a tensor to uint8 during training, in a range that it has measured."""

    # Of all of them: "measure" updates the ranges, "float" does nothing.
    mode: ClassVar[Literal["float", "measure", "quantise"]] = "float"

    def __init__(self, *, unsigned: bool) -> None:
        super().__init__()
        self.unsigned = unsigned
        self.register_buffer("lo", torch.tensor(0.0))
        self.register_buffer("hi", torch.tensor(1.0))
        self.register_buffer("seen", torch.tensor(0.0))

    @property
    def ends(self) -> tuple[Tensor, Tensor]:
        """The lowest and the highest value of its range."""
        return self.lo, self.hi

    def forward(self, values: Tensor) -> Tensor:
        """Return the values; quantised in this mode."""
        if FakeQuantise.mode == "quantise":
            return fake_quantise.quantise(values, *self.ends)
        if FakeQuantise.mode == "measure":
            self.measure(values)
        return values

    @torch.no_grad()
    def measure(self, values: Tensor) -> None:
        """Move the range towards that of these values, without a few outliers."""
        flat = values.detach().float().flatten()
        if flat.numel() > _SAMPLED:
            flat = flat[torch.randint(flat.numel(), (_SAMPLED,), device=flat.device)]
        count = max(1, round((1 - _COVERED) * flat.numel()))
        high = flat.topk(count).values[-1].clamp_min(1e-6)
        low = (
            torch.zeros_like(high)
            if self.unsigned
            else -(-flat).topk(count).values[-1].clamp_min(0)
        )
        share = 1.0 / (1.0 + min(4.0, float(self.seen)))
        self.lo.lerp_(low, share)
        self.hi.lerp_(high, share)
        self.seen += 1


class Conv(nn.Module):
    """A convolution, its activation and the quantisation of its output.

    `pads` are those above, left, below and right.
    """

    def __init__(
        self, ins: int, outs: int, size: int, *, stride: tuple[int, int] = (1, 1),
        pads: tuple[int, int, int, int] = (0, 0, 0, 0), groups: int = 1, relu: bool = False,
        quantised: bool = True, gated: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outs, ins // groups, size, size))
        self.bias = nn.Parameter(torch.zeros(outs))
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")
        self.stride, self.pads, self.groups, self.relu = stride, pads, groups, relu
        self.before = FakeQuantise(unsigned=False) if gated else None
        self.out = FakeQuantise(unsigned=relu and not gated) if quantised else None

    @property
    def ends(self) -> tuple[Tensor, Tensor]:
        """The range of the output.

        Raises:
            ValueError: the output is not quantised.

        """
        if self.out is None:
            raise ValueError("the output of this layer is not quantised")
        return self.out.ends

    def forward(self, maps: Tensor) -> Tensor:
        """Return N x outs x H x W."""
        quantised = FakeQuantise.mode == "quantise" and self.out is not None
        weight = fake_quantise.quantise_weight(self.weight) if quantised else self.weight
        output = self._convolved(maps, weight)
        if self.before is not None and self.out is not None:
            return self._gated(output, self.before, self.out)
        if self.relu:
            output = functional.relu(output)
        return self.out(output) if self.out is not None else output

    def _convolved(self, maps: Tensor, weight: Tensor) -> Tensor:
        if weight.shape[2:] == (1, 1) and self.stride == (1, 1):
            # As a matrix product: cuDNN would plan again for every new shape.
            rows = functional.linear(maps.permute(0, 2, 3, 1), weight.flatten(1), self.bias)
            return rows.permute(0, 3, 1, 2)
        top, left, bottom, right = self.pads
        if (top, left) == (bottom, right):
            return functional.conv2d(
                maps, weight, self.bias, self.stride, (top, left), 1, self.groups
            )
        padded = functional.pad(maps, (left, right, top, bottom))
        return functional.conv2d(padded, weight, self.bias, self.stride, 0, 1, self.groups)

    @staticmethod
    def _gated(output: Tensor, before: FakeQuantise, after: FakeQuantise) -> Tensor:
        if FakeQuantise.mode == "quantise":
            return fake_quantise.quantised_gate(output, before.ends, after.ends)
        if FakeQuantise.mode == "measure":
            before.measure(output)
        return after(fake_quantise.gate(output))


class Squeeze(nn.Module):
    """Squeeze and excitation: weights of the channels from their means."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = Conv(channels, channels // 4, 1, relu=True, quantised=False)
        self.excite = Conv(channels // 4, channels, 1, quantised=False)
        self.out = FakeQuantise(unsigned=False)

    def forward(self, maps: Tensor) -> Tensor:
        """Return N x C x H x W of N x C x H x W."""
        mean = maps.mean((2, 3), keepdim=True)
        return self.out(maps * functional.hardsigmoid(self.excite(self.squeeze(mean))))


class Mixer(nn.Module):
    """A depthwise convolution, channel weights if `squeezed`, and a residual pair of 1 x 1."""

    def __init__(self, channels: int, width: int, *, squeezed: bool) -> None:
        super().__init__()
        self.spatial = Conv(channels, channels, 3, pads=(1, 1, 1, 1), groups=channels)
        self.squeeze = Squeeze(channels) if squeezed else None
        self.expand = Conv(channels, width, 1, gated=True)
        self.reduce = Conv(width, channels, 1)
        self.sum = FakeQuantise(unsigned=False)

    def forward(self, maps: Tensor) -> Tensor:
        """Return N x C x H x W of N x C x H x W."""
        mixed = self.spatial(maps)
        if self.squeeze is not None:
            mixed = self.squeeze(mixed)
        return self.sum(mixed + self.reduce(self.expand(mixed)))


class Shrink(nn.Module):
    """Halve the height and double the channels."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.spatial = Conv(
            channels, channels, 3, stride=(2, 1), pads=(1, 1, 1, 1), groups=channels
        )
        self.expand = Conv(channels, width, 1, gated=True)
        self.reduce = Conv(width, 2 * channels, 1)

    def forward(self, maps: Tensor) -> Tensor:
        """Return N x 2 C x H/2 x W of N x C x H x W."""
        return self.reduce(self.expand(self.spatial(maps)))
