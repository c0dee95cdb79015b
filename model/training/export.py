"""Export the trained network as ONNX, for any width and batch, with its charset.

`python -m model.training.export CHARSET WEIGHTS OUT` takes a run's weights.pt. The output is CTC
probabilities, N x W/8 x classes. Weights are stored as float16, which halves the file; ONNX Runtime
converts them to float32 when it loads them.
"""

import argparse
import warnings
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from model.training.checkpoint import load_state
from model.training.lines import HEIGHT_PX
from model.training.network import Crnn, Shape
from model.training.shards import read_charset

OPSET = 20
_FLOAT16_FROM = 512  # numbers; smaller tensors stay float32


class _Features(nn.Module):
    """The trunk only."""

    def __init__(self, network: Crnn) -> None:
        super().__init__()
        self.trunk = network.trunk

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.trunk(images)
        return features


class _Probabilities(nn.Module):
    """The network and the softmax after it."""

    def __init__(self, network: Crnn) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        probabilities: Tensor = self.network(images).softmax(-1)
        return probabilities


def load(weights: Path, charset: Sequence[str]) -> Crnn:
    """Return the network of a run's checkpoint, in evaluation mode."""
    state = load_state(weights)
    network = Crnn(Shape(**state["shape"]), len(charset) + 2)
    network.load_state_dict(state["weights"])
    return network.eval()


def export(network: Crnn, charset: Sequence[str], *, trunk_only: bool = False) -> onnx.ModelProto:
    """Return the network, or its trunk only, as ONNX, float32."""
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        buffer = Path(folder) / "crnn.onnx"  # the exporter needs a file
        warnings.simplefilter("ignore")  # about LSTMs with any batch size
        torch.onnx.export(
            _Features(network) if trunk_only else _Probabilities(network),
            (torch.zeros(2, 3, HEIGHT_PX, 320),),
            str(buffer),
            opset_version=OPSET,
            input_names=["images"],
            output_names=["probabilities"],
            dynamic_axes={"images": {0: "N", 3: "W"}, "probabilities": {0: "N", 1: "T"}},
            dynamo=False,
        )
        model = onnx.load(buffer)
    for key, value in {"character": "\n".join(charset), "licence": "Apache-2.0"}.items():
        model.metadata_props.add(key=key, value=value)
    return model


def with_float16_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with its large weights stored as float16 and cast when it is loaded."""
    small = onnx.ModelProto()
    small.CopyFrom(model)
    casts = []
    for tensor in small.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size >= _FLOAT16_FROM:
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
            casts.append(
                onnx.helper.make_node("Cast", [f"{name}_half"], [name], to=onnx.TensorProto.FLOAT)
            )
    nodes = [*casts, *small.graph.node]
    del small.graph.node[:]
    small.graph.node.extend(nodes)
    return small


def main() -> None:
    """Export the checkpoint that the command line names."""
    parser = argparse.ArgumentParser()
    for name in ("charset", "weights", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--trunk-only", action="store_true", help="for model.training.reshard")
    options = parser.parse_args()
    charset = read_charset(options.charset)
    model = export(load(options.weights, charset), charset, trunk_only=options.trunk_only)
    onnx.save(with_float16_weights(model), options.out)
    print(f"{options.out.name}: {options.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
