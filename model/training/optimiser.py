"""The optimiser: AdamW with a step size for each tensor in proportion to its values.

The teacher's batch norms are folded into the convolutions, so the sizes of tensors differ by orders
of magnitude, and one step size does not suit all.
"""

import math
from typing import Any

import torch

from model.training.network import Recogniser

_TRUNK_SHARE, _CLASSIFIER_SHARE = 0.6, 0.25  # of the rate
_TRUNK_BIAS_UNIT, _MIN_VECTOR_UNIT, _MIN_UNIT = 0.1, 0.02, 1e-4
_GROUP_RATIO = (
    0.25  # parameters whose steps differ by less than e^0.25 share a group: few are faster
)


def optimiser_of(network: Recogniser, *, fused: bool) -> torch.optim.AdamW:
    """Return the optimiser; the learning rate of a group is the rate times its `unit`."""
    groups: dict[tuple[int, float], dict[str, Any]] = {}
    for name, parameter in network.named_parameters():
        size = float(parameter.detach().pow(2).mean().sqrt())
        share, eps = 1.0, 1e-8
        if name.startswith("trunk"):
            share = _TRUNK_SHARE
        elif name.startswith("classifier"):
            share, eps = _CLASSIFIER_SHARE, 1e-6
        unit = max(size, _MIN_UNIT)
        if parameter.dim() == 1:
            is_trunk = name.startswith("trunk")
            unit = _TRUNK_BIAS_UNIT if is_trunk else max(size, _MIN_VECTOR_UNIT)
        key = (round(math.log(unit * share) / _GROUP_RATIO), eps)
        group = groups.setdefault(key, {"params": [], "lr": 0.0, "unit": unit * share, "eps": eps})
        group["params"].append(parameter)
    return torch.optim.AdamW(
        list(groups.values()), lr=1e-3, betas=(0.9, 0.98), weight_decay=0.0, fused=fused
    )
