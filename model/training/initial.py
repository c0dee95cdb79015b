"""The network as it is before training: the teacher's weights wherever they fit."""

from collections.abc import Sequence
from pathlib import Path

import onnx
import torch
from torch import nn

from model.training import teacher
from model.training.network import FULL, Crnn, Shape, Trunk, convolutions


def initial(path: Path, charset: Sequence[str], shape: Shape) -> Crnn:
    """Return the network with the teacher's trunk, classifier and what fits of its neck.

    A narrower trunk begins with random weights: `model.training.narrow` makes better ones.
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
    # The LSTMs begin as if they were not there.
    nn.init.zeros_(network.neck.exit.weight)
    nn.init.zeros_(network.neck.exit.bias)
    _copy(network.classifier, teacher.classifier_layer(model, charset))
    return network


def teacher_trunk(model: onnx.ModelProto) -> Trunk:
    """Return the teacher's whole trunk."""
    trunk = Trunk(Shape())
    for target, layer in zip(convolutions(trunk), teacher.trunk_layers(model), strict=True):
        _copy(target, layer)
    return trunk


def _copy(target: nn.Module, layer: teacher.Layer) -> None:
    """Give a layer weights that differ from its own in form alone."""
    with torch.no_grad():
        for name, values in zip(("weight", "bias"), layer, strict=True):
            parameter: torch.Tensor = getattr(target, name)
            parameter.copy_(torch.from_numpy(values.copy()).reshape(parameter.shape))
