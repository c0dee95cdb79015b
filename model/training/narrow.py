"""Make a trunk narrower without training: drop hidden channels and refit the next layer.

`python -m model.training.narrow TEACHER CHARSET SHARDS WEIGHTS OUT --widths "[...]"` takes another
run's weights. In each block, the hidden channels that contribute least to the full trunk's output
are dropped one by one, and the rest is fitted by least squares on the narrower trunk's own inputs,
so that each block also corrects the errors of the earlier ones.
Source: Hassibi and Stork, Second Order Derivatives for Network Pruning: Optimal Brain Surgeon,
1993.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from model.training.checkpoint import load_weights, save
from model.training.initial import initial
from model.training.lines import as_input
from model.training.network import Mixer, Shape, Shrink, Trunk
from model.training.shards import read_charset, read_shard

_POSITIONS = 150  # of each line's map
_RIDGE = 1e-6  # of the mean square of a hidden channel
_LINES = 400

Block = Mixer | Shrink


@torch.no_grad()
def narrow_trunk(full: Trunk, shape: Shape, lines: list[Tensor]) -> Trunk:
    """Return a trunk of this shape with nearly the same output as the full one."""
    narrow = Trunk(shape)
    narrow.stem[0].load_state_dict(full.stem[0].state_dict())
    wanted = [full.stem[0](line) for line in lines]
    found = wanted
    for source, target in zip(full.blocks, narrow.blocks, strict=True):
        wanted = [source(each) for each in wanted]
        error = _fit(source, target, found, wanted)
        found = [target(each) for each in found]
        print(f"{target.expand.out_channels} of {source.expand.out_channels}: {error:.4f}")
    return narrow


def _fit(source: Block, target: Block, inputs: list[Tensor], wanted: list[Tensor]) -> float:
    """Fit a block's weights; return the share of its output's variance that is lost."""
    _copy_unchanged(source, target)
    size = source.expand.out_channels + 1
    gram = torch.zeros(size, size, dtype=torch.float64)
    cross = torch.zeros(size, source.reduce.out_channels, dtype=torch.float64)
    spread = 0.0
    for each, want in zip(inputs, wanted, strict=True):
        before = _before_hidden(source, each)
        hidden = _rows(functional.gelu(source.expand(before)))
        aim = _rows(want - before if isinstance(source, Mixer) else want)
        chosen = torch.randperm(len(hidden))[:_POSITIONS]
        x = torch.cat([hidden[chosen], torch.ones(len(chosen), 1)], 1).double()
        y = aim[chosen].double()
        gram += x.T @ x
        cross += x.T @ y
        spread += float((_rows(want)[chosen] - _rows(want)[chosen].mean(0)).pow(2).sum())
    gram += torch.eye(size) * _RIDGE * gram.diag()[:-1].mean()
    selected, weights, lost = _select(gram, cross, target.expand.out_channels)
    target.expand.weight.copy_(source.expand.weight[selected])
    target.expand.bias.copy_(source.expand.bias[selected])  # type: ignore[union-attr, index]
    target.reduce.weight.copy_(weights[:-1].T.reshape(target.reduce.weight.shape))
    target.reduce.bias.copy_(weights[-1])  # type: ignore[union-attr]
    return lost / spread


def _select(gram: Tensor, cross: Tensor, keep: int) -> tuple[Tensor, Tensor, float]:
    """Drop the cheapest hidden channel until `keep` are left; the last row is the bias.

    Returns the remaining channels, their weights and bias, and the squared error that was added.
    """
    inverse = torch.linalg.inv(gram)
    weights = inverse @ cross
    remaining = torch.ones(len(gram), dtype=torch.bool)
    lost = 0.0
    for _ in range(len(gram) - 1 - keep):
        cost = weights.pow(2).sum(1) / inverse.diag()
        cost[~remaining] = cost[-1] = torch.inf
        j = int(cost.argmin())
        lost += float(cost[j])
        remaining[j] = False
        column = inverse[:, j] / inverse[j, j]
        weights = weights - torch.outer(column, weights[j])
        inverse = inverse - torch.outer(column, inverse[j])
        inverse[j, j] = 1
    selected = torch.nonzero(remaining[:-1]).flatten()
    return selected, torch.cat([weights[selected], weights[-1:]]).float(), lost


def _before_hidden(block: Block, images: Tensor) -> Tensor:
    """Return the input of a block's hidden layer."""
    images = block.spatial(images)
    if isinstance(block, Mixer):
        return block.weighted(images)
    return images


def _copy_unchanged(source: Block, target: Block) -> None:
    """Copy the layers whose shape is unchanged."""
    for name, layer in source.named_children():
        if name not in ("expand", "reduce") and isinstance(layer, nn.Module):
            target.get_submodule(name).load_state_dict(layer.state_dict())


def _rows(images: Tensor) -> Tensor:
    """Return 1 x C x H x W as positions x C."""
    return images.flatten(2)[0].T


def sample(shards: Path, count: int) -> list[Tensor]:
    """Return lines of every width, 1 x 3 x 48 x W."""
    lines: list[Tensor] = []
    for path in sorted(shards.glob("[0-9]*[0-9].npz")):
        for rows in read_shard(path):
            lines += [torch.from_numpy(as_input([image])) for image in rows.images[:6]]
        if len(lines) >= count:
            break
    return lines[:count]


def main() -> None:
    """Narrow the trunk that the command line names."""
    parser = argparse.ArgumentParser()
    for name in ("teacher", "charset", "shards", "weights", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--widths", type=json.loads, required=True)
    options = parser.parse_args()
    torch.manual_seed(1)
    shape = Shape(tuple(options.widths))
    network = initial(options.teacher, read_charset(options.charset), Shape())
    load_weights(network, options.weights)
    network.trunk = narrow_trunk(network.trunk.eval(), shape, sample(options.shards, _LINES))
    save({"shape": asdict(shape), "weights": network.state_dict()}, options.out)


if __name__ == "__main__":
    main()
