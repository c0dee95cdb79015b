"""Write the trunk of a network as ONNX nodes, float or int8."""

import copy

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from model.training import fake_quantise
from model.training.layers import Conv, FakeQuantise, Mixer, Shrink, Squeeze
from model.training.network import TRUNK, Trunk
from model.training.onnx_graph import Ends, Graph

_PIXELS = (torch.tensor(-128 / 127), torch.tensor(1.0))  # the images' bytes lose nothing
_GATE = (torch.tensor(0.0), torch.tensor(fake_quantise.GATE_HIGH))
_SLOPE = 1.702


class TrunkWriter:
    """Writes a trunk into a graph."""

    def __init__(self, graph: Graph, trunk: Trunk, *, quantised: bool) -> None:
        self.graph, self._trunk, self._quantised = graph, trunk, quantised

    def write(self) -> str:
        """Return the name of the trunk's output, N x 384 x 1 x T."""
        maps = self._stem()
        for number, block in enumerate(self._trunk.blocks):
            maps = self._block(maps, block, f"b{number}")
        return self._pooled(maps)

    def _pooled(self, maps: str) -> str:
        """Add the mean of 3 x 2 values; in int8 a convolution takes a tenth of the time."""
        window = {"kernel_shape": [3, 2], "strides": [3, 2]}
        if not self._quantised:
            return self.graph.node("AveragePool", [maps], "pool", **window)
        sixths = torch.full((TRUNK, 1, 3, 2), 1 / 6)
        weights = self.graph.weights("pool/mean", sixths, torch.zeros(TRUNK), maps)
        pooled = self.graph.node("Conv", [maps, *weights], "pool/conv", group=TRUNK, **window)
        return self.graph.quantised(pooled, "pool", self._trunk.blocks[-1].sum.ends)

    def _quantise(self, source: str, name: str, ends: Ends) -> str:
        return self.graph.quantised(source, name, ends) if self._quantised else source

    def _stem(self) -> str:
        stem = self._trunk.stem_convs
        # Both tensors that are concatenated have one range.
        joint = (torch.tensor(0.0), torch.maximum(stem.first.ends[1], stem.widen.ends[1]))
        edges = self._edges(stem.first, joint)
        fine = self._conv(edges, stem.narrow, "narrow")
        fine = self._conv(fine, stem.widen, "widen", joint)
        coarse = self.graph.node(
            "MaxPool", [edges], "coarse", kernel_shape=[2, 2], strides=[1, 1], pads=[0, 0, 1, 1]
        )
        coarse = self._quantise(coarse, "coarseq", joint)
        joined = self.graph.node("Concat", [coarse, fine], "joined", axis=1)
        joined = self._conv(self._quantise(joined, "joinedq", joint), stem.join, "join")
        return self._conv(joined, stem.last, "last")

    def _edges(self, layer: Conv, ends: Ends) -> str:
        """Add the first convolution; in int8 a fourth channel, of zeros, halves its time."""
        if not self._quantised:
            return self._conv("images", layer, "first")
        step, start = self.graph.range("pixels", _PIXELS)
        pixels = self.graph.node("QuantizeLinear", ["images", step, start], "pixels/three")
        pads = self.graph.constant("pixels/pads", np.array([0, 0, 0, 0, 0, 1, 0, 0], np.int64))
        self.graph.node("Pad", [pixels, pads, start], "pixels/q")
        wide = copy.deepcopy(layer)
        wide.weight = nn.Parameter(functional.pad(layer.weight, (0, 0, 0, 0, 0, 1)))
        return self._conv(self.graph.dequantised("pixels/q", "pixels"), wide, "first", ends)

    def _conv(self, source: str, layer: Conv, name: str, ends: Ends | None = None) -> str:
        """Add a convolution, its activation and the quantisation of its output."""
        output = self._convolved(source, layer, name)
        out = layer.out
        if layer.before is not None and isinstance(out, FakeQuantise):
            return self._gated(output, layer.before, out, name)
        if self._quantised and out is not None:  # after a ReLU the range starts at 0
            return self.graph.quantised(output, name, ends or out.ends)
        return self.graph.node("Relu", [output], f"{name}/relu") if layer.relu else output

    def _convolved(self, source: str, layer: Conv, name: str) -> str:
        weight, bias = layer.weight.float(), layer.bias.float()
        int8 = self._quantised and layer.out is not None and source in self.graph.scales
        top, left, bottom, right = layer.pads
        return self.graph.node(
            "Conv",
            [source, *self.graph.weights(name, weight, bias, source if int8 else None)],
            f"{name}/conv",
            kernel_shape=list(weight.shape[2:]), strides=list(layer.stride),
            pads=[top, left, bottom, right], group=layer.groups,
        )  # fmt: skip

    def _gated(self, output: str, before: FakeQuantise, after: FakeQuantise, name: str) -> str:
        """Add x * sigmoid(1.702 x); in int8 the factor is a second scale of the same bytes."""
        if not self._quantised:
            wide = self.graph.node(
                "Mul", [output, self.graph.constant("k1702", np.float32(_SLOPE))], f"{name}.wide"
            )
            gate = self.graph.node("Sigmoid", [wide], f"{name}.sig")
            return self.graph.node("Mul", [output, gate], f"{name}.gated")
        output = self.graph.quantised(output, f"{name}.before", before.ends)
        wide = self.graph.constant(f"{name}.wide/s", np.float32(_SLOPE * self.graph.scales[output]))
        gate = self.graph.node(
            "DequantizeLinear", [f"{name}.before/q", wide, f"{name}.before/z"], f"{name}.wide/dq"
        )
        gate = self.graph.node("Sigmoid", [gate], f"{name}.sig")
        gate = self.graph.quantised(gate, f"{name}.gate", _GATE)
        output = self.graph.node("Mul", [output, gate], f"{name}.gated")
        return self.graph.quantised(output, name, after.ends)

    def _block(self, source: str, block: Mixer | Shrink, name: str) -> str:
        maps = self._conv(source, block.spatial, f"{name}.spatial")
        if isinstance(block, Shrink):
            maps = self._conv(maps, block.expand, f"{name}.expand")
            return self._conv(maps, block.reduce, f"{name}.reduce")
        if block.squeeze is not None:
            maps = self._squeezed(maps, block.squeeze, name)
        mixed = self._conv(maps, block.expand, f"{name}.expand")
        mixed = self._conv(mixed, block.reduce, f"{name}.reduce")
        total = self.graph.node("Add", [maps, mixed], f"{name}.add")
        return self._quantise(total, f"{name}.sum", block.sum.ends)

    def _squeezed(self, maps: str, squeeze: Squeeze, name: str) -> str:
        mean = self.graph.node("GlobalAveragePool", [maps], f"{name}.mean")
        gate = self.graph.node("Flatten", [mean], f"{name}.flat")
        gate = self._dense(gate, squeeze.squeeze, f"{name}.squeeze")
        gate = self.graph.node("Relu", [gate], f"{name}.squeeze/relu")
        gate = self._dense(gate, squeeze.excite, f"{name}.excite")
        gate = self.graph.node("HardSigmoid", [gate], f"{name}.gate", alpha=1 / 6, beta=0.5)
        if self._quantised:
            return self._rescaled(maps.removesuffix("/dq"), gate, squeeze, f"{name}.weighted")
        axes = self.graph.constant("height, width", np.array([2, 3], np.int64))
        gate = self.graph.node("Unsqueeze", [gate, axes], f"{name}.gates")
        return self.graph.node("Mul", [maps, gate], f"{name}.weighted")

    def _dense(self, source: str, layer: Conv, name: str) -> str:
        """Add a 1 x 1 convolution of one value for each channel, N x C."""
        weight = self.graph.constant(f"{name}/w", layer.weight.flatten(1).numpy())
        bias = self.graph.constant(f"{name}/b", layer.bias.numpy())
        return self.graph.node("Gemm", [source, weight, bias], name, transB=1)

    def _rescaled(self, maps: str, gate: str, squeeze: Squeeze, name: str) -> str:
        """Add the product of one line's maps and gates, in int8.

        It is a convolution with a weight of 1 for each channel, and the gates are the scales of
        these weights: the product is rounded once, and takes a third of the time it has in float.
        """
        channels = len(squeeze.excite.weight)
        whole = self.graph.constant("whole", np.array([-1], np.int64))
        scales = self.graph.node("Reshape", [gate, whole], f"{name}/scales")
        ones = self.graph.constant(f"{name}/w", np.ones((channels, 1, 1, 1), np.int8))
        zeros = self.graph.constant(f"{name}/wz", np.zeros(channels, np.int8))
        step, start = self.graph.range(name, squeeze.out.ends)
        inputs = [f"{maps}/q", f"{maps}/s", f"{maps}/z", ones, scales, zeros, step, start]
        steps = self.graph.node(
            "QLinearConv", inputs, f"{name}/q", kernel_shape=[1, 1], group=channels
        )
        return self.graph.dequantised(steps, name)
