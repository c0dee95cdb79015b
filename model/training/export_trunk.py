"""Write the trunk of a network as ONNX nodes, float or int8."""

import numpy as np
import torch

from model.training import fake_quantise
from model.training.layers import Conv, FakeQuantise, Mixer, Shrink, Squeeze
from model.training.network import Trunk
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
        maps = self.graph.node("AveragePool", [maps], "pool", kernel_shape=[3, 2], strides=[3, 2])
        return self._quantise(maps, "poolq", self._trunk.blocks[-1].sum.ends)

    def _quantise(self, source: str, name: str, ends: Ends) -> str:
        return self.graph.quantised(source, name, ends) if self._quantised else source

    def _stem(self) -> str:
        stem = self._trunk.stem_convs
        # Both tensors that are concatenated have one range.
        joint = (torch.tensor(0.0), torch.maximum(stem.first.ends[1], stem.widen.ends[1]))
        edges = self._conv(self._quantise("images", "pixels", _PIXELS), stem.first, "first", joint)
        fine = self._conv(edges, stem.narrow, "narrow")
        fine = self._conv(fine, stem.widen, "widen", joint)
        coarse = self.graph.node(
            "MaxPool", [edges], "coarse", kernel_shape=[2, 2], strides=[1, 1], pads=[0, 0, 1, 1]
        )
        coarse = self._quantise(coarse, "coarseq", joint)
        joined = self.graph.node("Concat", [coarse, fine], "joined", axis=1)
        joined = self._conv(self._quantise(joined, "joinedq", joint), stem.join, "join")
        return self._conv(joined, stem.last, "last")

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
        mean = self._conv(mean, squeeze.squeeze, f"{name}.squeeze")
        mean = self._conv(mean, squeeze.excite, f"{name}.excite")
        gate = self.graph.node("HardSigmoid", [mean], f"{name}.gate", alpha=1 / 6, beta=0.5)
        weighted = self.graph.node("Mul", [maps, gate], f"{name}.weighted")
        return self._quantise(weighted, f"{name}.weighted", squeeze.out.ends)
