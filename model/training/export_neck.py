"""Write the neck and the classifier of a network as ONNX nodes."""

import numpy as np
import torch
from torch import Tensor, nn

from model.training import fake_quantise
from model.training.network import Neck, Recogniser
from model.training.onnx_graph import Graph


class NeckWriter:
    """Writes a neck into a graph, its LSTMs in float or with int8 weights."""

    def __init__(self, graph: Graph, *, lstm_int8: bool) -> None:
        self.graph, self._lstm_int8 = graph, lstm_int8

    def write(self, maps: str, neck: Neck) -> str:
        """Return the name of the neck's output, T x N x 120, for the trunk's."""
        entry = self._silu(self._pointwise(maps, neck.entry, "entry"), "entry")
        near_weight = neck.near.weight.unsqueeze(2)
        near = self.graph.node(
            "Conv", [entry, *self.graph.weights("near", near_weight, neck.near.bias, None)],
            "near", kernel_shape=[1, 7], pads=[0, 3, 0, 3], group=len(neck.near.weight),
        )  # fmt: skip
        entry = self.graph.node("Add", [entry, self._silu(near, "near")], "entered")
        entry = self._along(entry, "entry")
        far = entry
        for layer in range(neck.lstm.num_layers):
            far = self._lstm(far, neck.lstm, layer)
        exited = self.graph.node(
            "Add", [entry, _product(self.graph, far, neck.exit, "exit")], "exited"
        )
        scale = self.graph.constant("norm/w", neck.norm.weight.numpy())
        shift = self.graph.constant("norm/b", neck.norm.bias.numpy())
        normed = self.graph.node(
            "LayerNormalization", [exited, scale, shift], "norm", axis=-1, epsilon=neck.norm.eps
        )
        direct = self._silu(self._pointwise(maps, neck.direct, "direct"), "direct")
        return self.graph.node("Add", [normed, self._along(direct, "direct")], "features")

    def _along(self, maps: str, name: str) -> str:
        """Transpose N x C x 1 x T to T x N x C."""
        axis = self.graph.constant("ax2", np.array([2], np.int64))
        flat = self.graph.node("Squeeze", [maps, axis], f"{name}/flat")
        return self.graph.node("Transpose", [flat], f"{name}/along", perm=[2, 0, 1])

    def _lstm(self, source: str, lstm: nn.LSTM, layer: int) -> str:
        """Add a layer in both directions."""
        name, hidden = f"lstm{layer}", lstm.hidden_size

        def stacked(key: str) -> np.ndarray:
            ways = ("", "_reverse")
            return np.stack([_gates(getattr(lstm, f"{key}_l{layer}{way}"), hidden) for way in ways])

        ins, past = stacked("weight_ih"), stacked("weight_hh")
        bias = np.concatenate([stacked("bias_ih"), stacked("bias_hh")], axis=1)
        kind = {"direction": "bidirectional", "hidden_size": hidden}
        if self._lstm_int8:
            inputs = self._int8_weights(source, name, ins, past, bias)
            output = self.graph.node(
                "DynamicQuantizeLSTM", inputs, name, domain="com.microsoft", **kind
            )
        else:
            pairs = (("W", ins), ("R", past), ("B", bias))
            inputs = [source, *(self.graph.constant(f"{name}/{k}", v) for k, v in pairs)]
            output = self.graph.node("LSTM", inputs, name, **kind)
        output = self.graph.node("Transpose", [output], f"{name}/t", perm=[0, 2, 1, 3])
        shape = self.graph.constant("flat", np.array([0, 0, -1], np.int64))
        return self.graph.node("Reshape", [output, shape], f"{name}/r")

    def _int8_weights(
        self, source: str, name: str, ins: np.ndarray, past: np.ndarray, bias: np.ndarray
    ) -> list[str]:
        """Return the inputs of an LSTM with int8 weights, with a scale for each unit of a gate."""
        most, values, steps = fake_quantise.WEIGHT_MOST, [], []
        for key, matrix in (("W", ins), ("R", past)):
            turned = matrix.transpose(0, 2, 1)  # directions x in x 4 units
            scale = np.abs(turned).max(axis=1) / most
            small = np.clip(np.round(turned / scale[:, None]), -most, most).astype(np.int8)
            values.append(self.graph.constant(f"{name}/{key}q", small))
            steps.append(self.graph.constant(f"{name}/{key}s", scale.astype(np.float32)))
            steps.append(self.graph.constant(f"{name}/{key}z", np.zeros(scale.shape, np.int8)))
        return [source, *values, self.graph.constant(f"{name}/B", bias), "", "", "", "", *steps]

    def _pointwise(self, maps: str, layer: nn.Linear, name: str) -> str:
        weight = layer.weight[:, :, None, None]
        inputs = [maps, *self.graph.weights(name, weight, layer.bias, None)]
        return self.graph.node("Conv", inputs, name, kernel_shape=[1, 1])

    def _silu(self, source: str, name: str) -> str:
        gate = self.graph.node("Sigmoid", [source], f"{name}/sig")
        return self.graph.node("Mul", [source, gate], f"{name}/silu")


def write_classifier(graph: Graph, features: str, network: Recogniser, *, quantised: bool) -> None:
    """Add the classifier, N x T x classes, and the softmax after it."""
    layer = network.classifier
    source = graph.node("Transpose", [features], "featuresN", perm=[1, 0, 2])
    if quantised:
        source = graph.quantised(source, "featq", network.features.ends)
        output = graph.node("MatMul", [source, _int8_rows(graph, layer)], "cls/mm")
        bias = graph.constant("cls/b", layer.bias.numpy())
        output = graph.node("Add", [output, bias], "cls")
    else:
        output = _product(graph, source, layer, "cls")
    graph.node("Softmax", [output], "probabilities", axis=-1)


def _int8_rows(graph: Graph, layer: nn.Linear) -> str:
    scale = fake_quantise.weight_scale(layer.weight)
    steps = torch.round(layer.weight / scale).clamp(
        -fake_quantise.WEIGHT_MOST, fake_quantise.WEIGHT_MOST
    )
    inputs = [
        graph.constant("cls/q", steps.T.numpy().astype(np.int8)),
        graph.constant("cls/s", scale.reshape(-1).numpy()),
        graph.constant("cls/z", np.zeros(len(steps), np.int8)),
    ]
    return graph.node("DequantizeLinear", inputs, "cls/wd", axis=1)


def _product(graph: Graph, source: str, layer: nn.Linear, name: str) -> str:
    weight = graph.constant(f"{name}/w", layer.weight.T.numpy())
    output = graph.node("MatMul", [source, weight], f"{name}/mm")
    return graph.node("Add", [output, graph.constant(f"{name}/b", layer.bias.numpy())], name)


def _gates(weights: Tensor, hidden: int) -> np.ndarray:
    """Put torch's gates, i f g o, in ONNX's order, i o f c."""
    inward, forget, cell, outward = weights.float().split(hidden)
    return torch.cat([inward, outward, forget, cell]).numpy()
