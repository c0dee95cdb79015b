"""Checkpoints: the weights of a network with its shape and charset, and the state of a run."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from model.training.network import Recogniser, Shape


def save(state: Mapping[str, Any], path: Path) -> None:
    """Write a file completely or not at all."""
    partial = path.with_suffix(".partial")
    torch.save(dict(state), partial)
    partial.rename(path)


def load_state(path: Path, device: str = "cpu") -> dict[str, Any]:
    """Return what `save` wrote, on this machine or another one."""
    state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    return state


def weights_of(
    network: Recogniser, weights: Mapping[str, Tensor], charset: Sequence[str]
) -> dict[str, Any]:
    """Return these weights as float16, with the network's shape and charset."""
    halves = {k: (v.half() if v.numel() > 1 else v).cpu() for k, v in weights.items()}
    return {"shape": asdict(network.shape), "charset": "\n".join(charset), "weights": halves}


def load_network(path: Path) -> tuple[Recogniser, list[str]]:
    """Return the network of a checkpoint that `weights_of` made, float32, and its charset."""
    state = load_state(path)
    shape = dict(state["shape"])
    charset: list[str] = state["charset"].split("\n")
    network = Recogniser(Shape(**shape | {"widths": tuple(shape["widths"])}), len(charset) + 2)
    network.load_state_dict({key: value.float() for key, value in state["weights"].items()})
    return network, charset
