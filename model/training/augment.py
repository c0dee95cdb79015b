"""From bytes to the network's input on the device, with random changes for training."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional


@torch.no_grad()
def as_input(images: Tensor) -> Tensor:
    """Return N x 3 x 48 x W, BGR, -1 to 1, of N x 48 x W x 3 bytes, RGB."""
    scaled = images.flip(3).permute(0, 3, 1, 2).float() / 127.5 - 1
    return scaled.contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def augmented(images: Tensor) -> Tensor:
    """Return the same with some lines sheared, shifted, blurred, faded or noisy."""
    values = as_input(images)
    count, device = len(values), values.device

    def between(low: float, high: float, *shape: int) -> Tensor:
        return torch.rand(count, *shape, device=device) * (high - low) + low

    def chance(share: float) -> Tensor:
        return (torch.rand(count, 1, 1, 1, device=device) < share).float()

    moved = (torch.rand(count, device=device) < 0.35).float()
    grid = functional.affine_grid(
        _transforms(values, moved, between), list(values.shape), align_corners=False
    )
    values = functional.grid_sample(values, grid, padding_mode="border", align_corners=False)
    soft = functional.avg_pool2d(functional.pad(values, (1, 1, 1, 1), mode="replicate"), 3, 1)
    values = values + (soft - values) * chance(0.15) * between(0, 0.8, 1, 1, 1)
    values = values * (1 - chance(0.3) * between(0, 0.45, 1, 1, 1))
    values = values + chance(0.3) * between(-0.2, 0.2, 3, 1, 1)
    values = values + torch.randn_like(values) * (chance(0.2) * between(0, 0.08, 1, 1, 1))
    return values.clamp_(-1, 1).contiguous(memory_format=torch.channels_last)


def _transforms(values: Tensor, moved: Tensor, between: Callable[..., Tensor]) -> Tensor:
    """Return an affine transform for each line: a little shear, scale and shift."""
    theta = torch.zeros(len(values), 2, 3, device=values.device)
    wider = 1 + moved * between(0, 0.05)
    theta[:, 0, 0] = wider
    theta[:, 0, 1] = moved * between(-0.12, 0.12) * 48 / values.shape[3]
    theta[:, 0, 2] = (wider - 1) * between(-1, 1)
    theta[:, 1, 0] = moved * between(-0.04, 0.04)
    theta[:, 1, 1] = 1 + moved * between(-0.05, 0.08)
    theta[:, 1, 2] = moved * between(-0.05, 0.05)
    return theta
