"""Use the Triton kernels if this machine has them and they compute what torch computes."""

from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from model.training import fake_quantise
from model.training.run_log import RunLog

# Relative difference. With bfloat16's 8 bits many values round to a neighbouring step.
_TOLERANCES = {torch.float32: 0.01, torch.bfloat16: 0.15}
# Zero points of these ranges are not half-way between two steps: rounding is then ambiguous.
_BEFORE, _AFTER = (-1.31, 2.1), (-0.21, 1.9)
_FUNCTIONS = ("quantise", "gate", "quantised_gate")


def choose_kernels(device: torch.device, log: RunLog) -> None:
    """Let `fake_quantise` use the kernels on a GPU, and log whether it does."""
    fake_quantise.use_kernels(None)
    if device.type != "cuda":
        return
    try:
        from model.training import triton_kernels  # noqa: PLC0415  # Triton is not everywhere

        found = {
            precision: max(_difference(triton_kernels, f, device, precision) for f in _FUNCTIONS)
            for precision in _TOLERANCES
        }
        correct = all(found[each] < limit for each, limit in _TOLERANCES.items())
        fake_quantise.use_kernels(triton_kernels if correct else None)
        log.write(kernels=correct, differences={str(k): v for k, v in found.items()})
    except Exception as error:  # noqa: BLE001  # whatever it is, torch computes the same
        fake_quantise.use_kernels(None)
        log.write(kernels=False, error=repr(error)[:300])


def _difference(
    kernels: ModuleType, function: str, device: torch.device, precision: torch.dtype
) -> float:
    """Return the relative difference of a kernel's values and gradients from torch's."""
    values = torch.randn(8, 96, 12, 40, device=device, dtype=precision)
    values = values.contiguous(memory_format=torch.channels_last).requires_grad_()
    results = []
    for module in (None, kernels):
        fake_quantise.use_kernels(module)
        output = _apply(function, values, device)
        (gradient,) = torch.autograd.grad(output, values, torch.ones_like(output))
        results.append((output.detach().float(), gradient.float()))
    pairs = zip(*results, strict=True)
    return max(float((torch_s - kernel_s).norm() / torch_s.norm()) for torch_s, kernel_s in pairs)


def _apply(function: str, values: Tensor, device: torch.device) -> Tensor:
    before, after = (
        tuple(torch.tensor(end, device=device) for end in ends) for ends in (_BEFORE, _AFTER)
    )
    arguments: dict[str, tuple[Any, ...]] = {
        "quantise": before,
        "gate": (),
        "quantised_gate": (before, after),
    }
    output: Tensor = getattr(fake_quantise, function)(values, *arguments[function])
    return output
