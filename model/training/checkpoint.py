"""Checkpoints of a run: files that are written completely or not at all."""

from pathlib import Path
from typing import Any

import torch

from model.training.network import Crnn


def save(state: dict[str, Any], path: Path) -> None:
    """Write a file completely or not at all."""
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.rename(path)


def load_state(path: Path, device: str = "cpu") -> dict[str, Any]:
    """Return what `save` wrote, on this machine or another one."""
    state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    return state


def load_weights(network: Crnn, path: Path) -> None:
    """Load the weights of another run where names and shapes match."""
    weights = load_state(path)["weights"]
    own = network.state_dict()
    matching = {k: v for k, v in weights.items() if k in own and own[k].shape == v.shape}
    network.load_state_dict(own | matching)
