# ruff: noqa: ANN001, ANN202, N803, PLR0917  # Triton's kernels: pointers and compile-time sizes
"""Fake quantisation and the gate as single Triton kernels: one pass over memory, not ten.

`model.training.kernel_check` compares them with torch on the machine before they are used.
"""

from typing import Any

import torch
import triton  # type: ignore[import-not-found]
import triton.language as tl  # type: ignore[import-not-found]
from torch import Tensor

_BLOCK = 2048


@triton.jit
def _steps(values, scale, zero):  # type: ignore[no-untyped-def]
    """Return values in steps of a range, unclamped."""
    return tl.floor(values / scale + zero + 0.5)


@triton.jit
def _clamped(steps):  # type: ignore[no-untyped-def]
    return tl.minimum(tl.maximum(steps, 0.0), 255.0)


@triton.jit(do_not_specialize=["count"])
def _round(x, y, scale_at, zero_at, count, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    at = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    values = tl.load(x + at, mask=at < count, other=0.0).to(tl.float32)
    scale, zero = tl.load(scale_at), tl.load(zero_at)
    tl.store(y + at, (_clamped(_steps(values, scale, zero)) - zero) * scale, mask=at < count)


@triton.jit(do_not_specialize=["count"])
def _round_back(x, g, out, scale_at, zero_at, count, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    at = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    values = tl.load(x + at, mask=at < count, other=0.0).to(tl.float32)
    gradient = tl.load(g + at, mask=at < count, other=0.0).to(tl.float32)
    steps = _steps(values, tl.load(scale_at), tl.load(zero_at))
    inside = (steps >= 0.0) & (steps <= 255.0)
    tl.store(out + at, tl.where(inside, gradient, 0.0), mask=at < count)


@triton.jit(do_not_specialize=["count"])
def _gate(  # type: ignore[no-untyped-def]
    x, y, scale_at, zero_at, scale2_at, zero2_at, count, ROUND: tl.constexpr, BLOCK: tl.constexpr
):
    at = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    values = tl.load(x + at, mask=at < count, other=0.0).to(tl.float32)
    if ROUND:
        scale, zero = tl.load(scale_at), tl.load(zero_at)
        values = (_clamped(_steps(values, scale, zero)) - zero) * scale
    slope = 1.0 / (1.0 + tl.exp(-1.702 * values))
    if ROUND:
        slope = tl.minimum(tl.floor(slope * 256.0 + 0.5), 255.0) / 256.0
        scale, zero = tl.load(scale2_at), tl.load(zero2_at)
        result = (_clamped(_steps(values * slope, scale, zero)) - zero) * scale
    else:
        result = values * slope
    tl.store(y + at, result, mask=at < count)


@triton.jit(do_not_specialize=["count"])
def _gate_back(  # type: ignore[no-untyped-def]
    x,
    g,
    out,
    scale_at,
    zero_at,
    scale2_at,
    zero2_at,
    count,
    ROUND: tl.constexpr,
    BLOCK: tl.constexpr,
):
    at = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    values = tl.load(x + at, mask=at < count, other=0.0).to(tl.float32)
    gradient = tl.load(g + at, mask=at < count, other=0.0).to(tl.float32)
    inside = at < count
    if ROUND:
        scale, zero = tl.load(scale_at), tl.load(zero_at)
        steps = _steps(values, scale, zero)
        inside = (steps >= 0.0) & (steps <= 255.0)
        values = (_clamped(steps) - zero) * scale
    smooth = 1.0 / (1.0 + tl.exp(-1.702 * values))
    bend = 1.702 * smooth * (1.0 - smooth)
    slope = smooth
    if ROUND:
        step = tl.floor(smooth * 256.0 + 0.5)
        bend = tl.where(step <= 255.0, bend, 0.0)
        slope = tl.minimum(step, 255.0) / 256.0
        steps2 = _steps(values * slope, tl.load(scale2_at), tl.load(zero2_at))
        gradient = tl.where((steps2 >= 0.0) & (steps2 <= 255.0), gradient, 0.0)
    result = gradient * (slope + values * bend)
    tl.store(out + at, tl.where(inside, result, 0.0), mask=at < count)


def _dense(values: Tensor) -> Tensor:
    """Return values that are contiguous in memory, channels first or last."""
    if values.is_contiguous() or values.is_contiguous(memory_format=torch.channels_last):
        return values
    return values.contiguous()


def _in_order_of(gradient: Tensor, values: Tensor) -> Tensor:
    """Return a gradient in the memory order of its values."""
    if gradient.stride() == values.stride():
        return gradient
    return torch.empty_like(values, dtype=gradient.dtype).copy_(gradient)


def _grid(values: Tensor) -> tuple[int]:
    return (triton.cdiv(values.numel(), _BLOCK),)


class _Quantise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, scale: Tensor, zero: Tensor) -> Tensor:
        values = _dense(values)
        result = torch.empty_like(values)
        _round[_grid(values)](values, result, scale, zero, values.numel(), _BLOCK)
        ctx.save_for_backward(values, scale, zero)
        return result

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        values, scale, zero = ctx.saved_tensors
        gradient = _in_order_of(gradient, values)
        result = torch.empty_like(gradient)
        _round_back[_grid(values)](values, gradient, result, scale, zero, values.numel(), _BLOCK)
        return result, None, None


class _Gate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, *ranges: Tensor) -> Tensor:
        """Take no ranges, or scale and zero point of that before and that after."""
        values, rounds = _dense(values), bool(ranges)
        scales = ranges or 4 * (values.new_zeros((), dtype=torch.float32),)
        result = torch.empty_like(values)
        _gate[_grid(values)](values, result, *scales, values.numel(), rounds, _BLOCK)
        ctx.save_for_backward(values, *scales)
        ctx.rounds = rounds
        return result

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        values, *scales = ctx.saved_tensors
        gradient = _in_order_of(gradient, values)
        result = torch.empty_like(gradient)
        _gate_back[_grid(values)](
            values, gradient, result, *scales, values.numel(), ctx.rounds, _BLOCK
        )
        return result, *((4 if ctx.rounds else 0) * (None,))


def quantise(values: Tensor, scale: Tensor, zero: Tensor) -> Tensor:
    """Round to the 256 steps of a range."""
    return _Quantise.apply(values, scale, zero)


def gate(values: Tensor) -> Tensor:
    """Return values * sigmoid(1.702 values)."""
    return _Gate.apply(values)


def quantised_gate(values: Tensor, *ranges: Tensor) -> Tensor:
    """Return the same, quantised before, between and after: scale, zero, scale, zero."""
    return _Gate.apply(values, *ranges)
