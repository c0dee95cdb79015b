"""Export a checkpoint as ONNX, float or int8 as it was quantised in training, with its charset.

`python -m model.training.export WEIGHTS OUT [--float] [--float-lstm]` takes a run's weights.pt. The
output is CTC probabilities, 1 x W/8 x classes, for any width; the float network takes any batch.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import onnx
import torch

from model.training.checkpoint import load_network
from model.training.export_neck import NeckWriter, write_classifier
from model.training.export_trunk import TrunkWriter
from model.training.network import Recogniser
from model.training.onnx_graph import Graph


def export(
    network: Recogniser, charset: Sequence[str], *, quantised: bool = True, lstm_int8: bool = True
) -> onnx.ModelProto:
    """Return the network as ONNX; without `quantised` nothing is int8."""
    graph = Graph()
    with torch.no_grad():
        trunk = TrunkWriter(graph, network.trunk, quantised=quantised).write()
        features = NeckWriter(graph, lstm_int8=quantised and lstm_int8).write(trunk, network.neck)
        write_classifier(graph, features, network, quantised=quantised)
    model = graph.model(len(network.classifier.bias), 1 if quantised else "N")
    for key, value in {"character": "\n".join(charset), "licence": "Apache-2.0"}.items():
        model.metadata_props.add(key=key, value=value)
    return model


def main() -> None:
    """Export the checkpoint that the command line names."""
    parser = argparse.ArgumentParser()
    for name in ("weights", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--float", dest="quantised", action="store_false", help="nothing in int8")
    parser.add_argument(
        "--float-lstm", dest="lstm_int8", action="store_false", help="the LSTMs not in int8"
    )
    options = parser.parse_args()
    network, charset = load_network(options.weights)
    model = export(network, charset, quantised=options.quantised, lstm_int8=options.lstm_int8)
    onnx.save(model, options.out)
    print(f"{options.out.name}: {options.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
