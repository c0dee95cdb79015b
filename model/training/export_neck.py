"""Write the neck and the classifier of a network as ONNX nodes."""

import numpy as np
import torch
from torch import Tensor, nn

from model.training import fake_quantise
from model.training.network import FEATURES, TRUNK, Neck, Recogniser
from model.training.onnx_graph import Graph


class NeckWriter:
    """Writes a neck into a graph, its LSTMs in float or with int8 weights."""

    def __init__(self, graph: Graph, *, lstm_int8: bool) -> None:
        self.graph, self._lstm_int8 = graph, lstm_int8

    def write(self, maps: str, neck: Neck) -> str:
        """Return the name of the neck's output, T x N x 120, for the trunk's."""
        both = self._silu(self._entered(maps, neck), "both")
        self.graph.split(both, ["direct", "start"])
        entry = self.graph.node("Add", ["start", self._near("start", neck.near)], "entry")
        far = entry
        for layer in range(neck.lstm.num_layers):
            far = self._lstm(far, neck.lstm, layer)
        exited = self.graph.node(
            "Add", [entry, self.graph.product(far, neck.exit, "exit")], "exited"
        )
        scale = self.graph.constant("norm/w", neck.norm.weight.numpy())
        shift = self.graph.constant("norm/b", neck.norm.bias.numpy())
        normed = self.graph.node(
            "LayerNormalization", [exited, scale, shift], "norm", axis=-1, epsilon=neck.norm.eps
        )
        return self.graph.node("Add", [normed, "direct"], "features")

    def _entered(self, maps: str, neck: Neck) -> str:
        """Add both layers that read the trunk as one, T x N x 240."""
        both = nn.Linear(TRUNK, 2 * FEATURES)
        both.weight.copy_(torch.cat([neck.direct.weight, neck.entry.weight]))
        both.bias.copy_(torch.cat([neck.direct.bias, neck.entry.bias]))
        return self.graph.product(self._along(maps, "trunk"), both, "entered")

    def _near(self, source: str, layer: nn.Conv1d) -> str:
        axis = self.graph.constant("height", np.array([2], np.int64))
        maps = self.graph.node("Transpose", [source], "start/across", perm=[1, 2, 0])
        maps = self.graph.node("Unsqueeze", [maps, axis], "start/maps")
        weights = self.graph.weights("near", layer.weight.unsqueeze(2), layer.bias, None)
        output = self.graph.node(
            "Conv", [maps, *weights], "near",
            kernel_shape=[1, 7], pads=[0, 3, 0, 3], group=len(layer.weight),
        )  # fmt: skip
        return self._along(self._silu(output, "near"), "near")

    def _along(self, maps: str, name: str) -> str:
        """Transpose N x C x 1 x T to T x N x C."""
        axis = self.graph.constant("height", np.array([2], np.int64))
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

    def _silu(self, source: str, name: str) -> str:
        gate = self.graph.node("Sigmoid", [source], f"{name}/sig")
        return self.graph.node("Mul", [source, gate], f"{name}/silu")


def write_classifier(graph: Graph, features: str, network: Recogniser, *, quantised: bool) -> None:
    """Add the classifier, N x T x classes, and the softmax after it."""
    layer = network.classifier
    source = graph.node("Transpose", [features], "featuresN", perm=[1, 0, 2])
    if quantised:
        steps = graph.steps(source, "quantised", network.features.ends)
        output = graph.int8_product(steps, "quantised", layer, "logits")
    else:
        output = graph.product(source, layer, "logits")
    graph.node("Softmax", [output], "probabilities", axis=-1)


def _gates(weights: Tensor, hidden: int) -> np.ndarray:
    """Put torch's gates, i f g o, in ONNX's order, i o f c."""
    inward, forget, cell, outward = weights.float().split(hidden)
    return torch.cat([inward, outward, forget, cell]).numpy()
