"""What a run keeps on disk: written whole or not at all, taken over wherever it fits."""

from pathlib import Path
from typing import Any

import torch

from model.training.network import Crnn


def save(state: dict[str, Any], path: Path) -> None:
    """Write a file whole or not at all."""
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.rename(path)


def loaded(path: Path, device: str = "cpu") -> dict[str, Any]:
    """Return what `save` wrote, on whatever machine that was."""
    state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    return state


def load_weights(network: Crnn, path: Path) -> None:
    """Take over the weights of another run's file, wherever names and forms agree."""
    weights = loaded(path)["weights"]
    own = network.state_dict()
    fitting = {k: v for k, v in weights.items() if k in own and own[k].shape == v.shape}
    network.load_state_dict(own | fitting)
