"""The network before training, with the teacher's weights where they fit."""

from collections.abc import Sequence
from pathlib import Path

import onnx
import torch
from torch import nn

from model.training import teacher
from model.training.network import FULL, Crnn, Shape, Trunk, convolutions


def initial(path: Path, charset: Sequence[str], shape: Shape) -> Crnn:
    """Return the network with the teacher's trunk and classifier and the common parts of its neck.

    A narrower trunk starts with random weights: `model.training.narrow` makes better ones.
    """
    model = onnx.load(path)
    network = Crnn(shape, len(charset) + 2)
    if shape.widths == FULL:
        network.trunk = teacher_trunk(model)
    layers = teacher.neck_layers(model)
    for name, target in (
        ("direct", network.neck.direct),
        ("entry", network.neck.entry),
        ("near", network.neck.near),
        ("norm", network.neck.norm),
    ):
        _copy(target, layers[name])
    # The output of the LSTMs starts with zero.
    nn.init.zeros_(network.neck.exit.weight)
    nn.init.zeros_(network.neck.exit.bias)
    _copy(network.classifier, teacher.classifier_layer(model, charset))
    return network


def teacher_trunk(model: onnx.ModelProto) -> Trunk:
    """Return the teacher's trunk."""
    trunk = Trunk(Shape())
    for target, layer in zip(convolutions(trunk), teacher.trunk_layers(model), strict=True):
        _copy(target, layer)
    return trunk


def _copy(target: nn.Module, layer: teacher.Layer) -> None:
    """Copy weights to a layer, reshaped."""
    with torch.no_grad():
        for name, values in zip(("weight", "bias"), layer, strict=True):
            parameter: torch.Tensor = getattr(target, name)
            parameter.copy_(torch.from_numpy(values.copy()).reshape(parameter.shape))
