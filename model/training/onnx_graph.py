"""Write an ONNX graph node by node, with the quantisation that the network was trained with."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from model.training import fake_quantise

OPSET, MICROSOFT_OPSET, IR_VERSION = 20, 1, 10
_HALVED_FROM = 512  # numbers; smaller tensors stay as they are
_MOST_INT32 = 2**31 - 1

Ends = tuple[Tensor, Tensor]  # the lowest and the highest value of a range


class Graph:
    """The nodes and weights added so far. A tensor has the name of its node."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._weights: dict[str, onnx.TensorProto] = {}
        self.scales: dict[str, float] = {}  # of the quantised tensors

    def constant(self, name: str, values: npt.ArrayLike) -> str:
        """Add a weight, once."""
        if name not in self._weights:
            array = np.array(values, order="C")
            self._weights[name] = numpy_helper.from_array(array, name)
        return name

    def split(self, source: str, names: Sequence[str]) -> None:
        """Split the last axis of a tensor into equal parts."""
        self._nodes.append(
            helper.make_node("Split", [source], names, axis=-1, num_outputs=len(names))
        )

    def node(self, kind: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        """Add a node; its only output has its name."""
        self._nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def quantised(self, source: str, name: str, ends: Ends) -> str:
        """Quantise a tensor to the 256 steps of a range."""
        return self.dequantised(self.steps(source, name, ends), name)

    def steps(self, source: str, name: str, ends: Ends) -> str:
        """Return a tensor's steps in a range, uint8."""
        return self.node("QuantizeLinear", [source, *self.range(name, ends)], f"{name}/q")

    def range(self, name: str, ends: Ends) -> tuple[str, str]:
        """Add the scale and the zero point of the quantised tensor NAME."""
        scale, zero = fake_quantise.scale_and_zero(*(end.double() for end in ends))
        self.scales[f"{name}/dq"] = float(np.float32(scale))
        start = np.uint8(np.clip(float(zero), 0, 255))
        return self.constant(f"{name}/s", np.float32(scale)), self.constant(f"{name}/z", start)

    def dequantised(self, steps: str, name: str) -> str:
        """Return the values of steps in the range of the quantised tensor NAME."""
        return self.node("DequantizeLinear", [steps, f"{name}/s", f"{name}/z"], f"{name}/dq")

    def product(self, source: str, layer: nn.Linear, name: str) -> str:
        """Add a product with a layer's weights, and its bias."""
        weight = self.constant(f"{name}/w", layer.weight.T.numpy())
        output = self.node("MatMul", [source, weight], f"{name}/mm")
        return self.node("Add", [output, self.constant(f"{name}/b", layer.bias.numpy())], name)

    def int8_product(self, steps: str, quantised: str, layer: nn.Linear, name: str) -> str:
        """Add the same with int8 weights, of steps in the range of a quantised tensor."""
        scale = fake_quantise.weight_scale(layer.weight)
        inputs = [
            steps, self.constant(f"{name}/wq", _steps(layer.weight, scale).T.numpy()),
            f"{quantised}/s", self.constant(f"{name}/ws", scale.reshape(-1).numpy()),
            f"{quantised}/z", self.constant(f"{name}/wz", np.zeros(len(scale), np.int8)),
            self.constant(f"{name}/b", layer.bias.numpy()),
        ]  # fmt: skip
        return self.node("MatMulIntegerToFloat", inputs, name, domain="com.microsoft")

    def weights(self, name: str, weight: Tensor, bias: Tensor, source: str | None) -> list[str]:
        """Add a layer's weights and bias; as int8 and int32 for a quantised source."""
        if source is None:
            return [
                self.constant(f"{name}/w", weight.numpy()),
                self.constant(f"{name}/b", bias.numpy()),
            ]
        scale = fake_quantise.weight_scale(weight)
        flat = scale.reshape(-1)
        weights = self._channels(f"{name}/w", _steps(weight, scale).numpy(), flat.numpy())
        bias_scale = (flat.double().numpy() * self.scales[source]).astype(np.float32)
        bias_steps = np.clip(np.round(bias.numpy() / bias_scale), -_MOST_INT32, _MOST_INT32)
        return [weights, self._channels(f"{name}/b", bias_steps.astype(np.int32), bias_scale)]

    def _channels(self, name: str, steps: npt.NDArray[Any], scale: npt.NDArray[np.float32]) -> str:
        """Add integers with a scale for each index of the first axis."""
        inputs = [
            self.constant(f"{name}q", steps),
            self.constant(f"{name}s", scale),
            self.constant(f"{name}z", np.zeros(len(steps), steps.dtype)),
        ]
        return self.node("DequantizeLinear", inputs, f"{name}d", axis=0)

    def model(self, classes: int, batch: int | str) -> onnx.ModelProto:
        """Return the model. Large weights are stored as float16 and cast when it is loaded."""
        casts, weights = [], []
        for name, tensor in self._weights.items():
            values = numpy_helper.to_array(tensor)
            if values.dtype == np.float32 and values.size >= _HALVED_FROM:
                half = f"{name}_half"
                weights.append(numpy_helper.from_array(values.astype(np.float16), half))
                casts.append(helper.make_node("Cast", [half], [name], to=TensorProto.FLOAT))
            else:
                weights.append(tensor)
        images = helper.make_tensor_value_info("images", TensorProto.FLOAT, [batch, 3, 48, "W"])
        answer = helper.make_tensor_value_info(
            "probabilities", TensorProto.FLOAT, [batch, "T", classes]
        )
        opsets = [
            helper.make_opsetid("", OPSET),
            helper.make_opsetid("com.microsoft", MICROSOFT_OPSET),
        ]
        graph = helper.make_graph([*casts, *self._nodes], "crnn", [images], [answer], weights)
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
        onnx.checker.check_model(model)
        return model


def _steps(weight: Tensor, scale: Tensor) -> Tensor:
    """Return weights as int8."""
    most = fake_quantise.WEIGHT_MOST
    return torch.round(weight / scale).clamp(-most, most).to(torch.int8)
