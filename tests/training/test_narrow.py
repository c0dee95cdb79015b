"""A trunk made narrower without training."""

import copy
from pathlib import Path

import pytest
import torch
from torch import Tensor

from model.training.narrow import narrow_trunk, sample
from model.training.network import FULL, Crnn, Shape, Trunk

pytestmark = pytest.mark.training

NARROWER = Shape(tuple(width * 3 // 4 for width in FULL))


@pytest.fixture(scope="module")
def images(shards: Path) -> list[Tensor]:
    """Rendered lines."""
    return sample(shards, 12)


@torch.no_grad()
def loss(trunk: Trunk, network: Crnn, images: list[Tensor]) -> float:
    """Return the share of the variance of the full trunk's features that is lost."""
    wanted = torch.cat([network.trunk(each) for each in images], 1)
    found = torch.cat([trunk(each) for each in images], 1)
    return float((found - wanted).pow(2).mean() / wanted.var())


@torch.no_grad()
def dropped_at_random(full: Trunk, shape: Shape) -> Trunk:
    """Return a narrower trunk whose hidden channels are some of the full one's."""
    narrow = Trunk(shape)
    narrow.stem[0].load_state_dict(full.stem[0].state_dict())
    for source, target in zip(full.blocks, narrow.blocks, strict=True):
        state = copy.deepcopy(source.state_dict())
        selected = torch.randperm(source.expand.out_channels)[: target.expand.out_channels]
        for name in ("expand.weight", "expand.bias"):
            state[name] = state[name][selected]
        state["reduce.weight"] = state["reduce.weight"][:, selected]
        target.load_state_dict(state)
    return narrow


@pytest.mark.timeout(240)
def test_full_width_is_the_trunk_itself(network: Crnn, images: list[Tensor]) -> None:
    """Without dropped channels, nothing is lost."""
    torch.manual_seed(1)
    assert loss(narrow_trunk(network.trunk, Shape(), images), network, images) < 1e-3


@pytest.mark.timeout(240)
def test_three_quarters_lose_little(network: Crnn, images: list[Tensor]) -> None:
    """Far less than with channels dropped at random."""
    torch.manual_seed(1)
    chosen = loss(narrow_trunk(network.trunk, NARROWER, images), network, images)
    at_random = loss(dropped_at_random(network.trunk, NARROWER), network, images)
    assert chosen < 0.25
    assert chosen < at_random / 3
