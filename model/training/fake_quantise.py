"""Fake quantisation to int8: rounding as in ONNX Runtime, with straight-through gradients.

With `use_kernels` each function is one Triton kernel on a GPU; without it torch computes them.
"""

from typing import Any

import torch
from torch import Tensor

WEIGHT_MOST = 63  # seven bits: with eight, AVX2 saturates the sum of two products
GATE_HIGH = 255 / 256
_SLOPE = 1.702  # x * sigmoid(1.702 x) is nearly GELU

_kernels: Any = None  # model.training.triton_kernels, where they can be used


def use_kernels(module: Any) -> None:
    """Compute with this module's kernels from now on; None: with torch."""
    global _kernels  # noqa: PLW0603
    _kernels = module


def scale_and_zero(low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    """Return the scale and the zero point of a range in 256 steps."""
    scale = ((high - low) / 255).clamp_min(1e-8)
    return scale, torch.round(-low / scale)


class _Quantise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, low: Tensor, high: Tensor) -> Tensor:
        scale, zero = scale_and_zero(low, high)
        steps = torch.round(values.float() / scale + zero)
        ctx.save_for_backward((steps >= 0) & (steps <= 255))
        return ((steps.clamp(0, 255) - zero) * scale).to(values.dtype)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (inside,) = ctx.saved_tensors
        return gradient * inside, None, None


def quantise(values: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Round to the 256 steps of a range; values outside it have no gradient."""
    if _kernels is not None and values.is_cuda:
        return _kernels.quantise(values, *scale_and_zero(low, high))
    return _Quantise.apply(values, low, high)


def gate(values: Tensor) -> Tensor:
    """Return values * sigmoid(1.702 values)."""
    if _kernels is not None and values.is_cuda:
        return _kernels.gate(values)
    return values * torch.sigmoid(_SLOPE * values)


def quantised_gate(
    values: Tensor, before: tuple[Tensor, Tensor], after: tuple[Tensor, Tensor]
) -> Tensor:
    """Return the same with the values, the sigmoid and the product each quantised."""
    if _kernels is not None and values.is_cuda:
        return _kernels.quantised_gate(values, *scale_and_zero(*before), *scale_and_zero(*after))
    rounded = _Quantise.apply(values, *before)
    zero = torch.zeros((), device=values.device)
    slope = _Quantise.apply(torch.sigmoid(_SLOPE * rounded), zero, zero + GATE_HIGH)
    return _Quantise.apply(rounded * slope, *after)


def weight_scale(weight: Tensor) -> Tensor:
    """Return the scale of each output channel's weights."""
    shape = (-1, *([1] * (weight.dim() - 1)))
    most = weight.detach().flatten(1).abs().amax(1)
    return (most / WEIGHT_MOST).clamp_min(1e-9).reshape(shape)


def quantise_weight(weight: Tensor) -> Tensor:
    """Round weights to seven bits, with a scale for each output channel."""
    with torch.no_grad():
        scale = weight_scale(weight)
        rounded = torch.round(weight / scale).clamp_(-WEIGHT_MOST, WEIGHT_MOST) * scale
    return weight + (rounded - weight).detach()
