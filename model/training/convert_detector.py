"""Rewrite the detector of PaddleOCR for ONNX Runtime: the same weights and values, in less time.

`python -m model.training.convert_detector DETECTOR OUT` takes PP-OCRv3's file from its package. Its
hard swish, x clip(x + 3, 0, 6) / 6, is four nodes there, for each of which ONNX Runtime reads and
writes the maps, in another layout than that of its convolutions. As x HardSigmoid(x) it stays in
their layout. Constants are folded, and batch norms become part of the convolutions.
"""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import onnx
import onnxruntime as ort
from onnx import helper, numpy_helper


def converted(content: bytes) -> onnx.ModelProto:
    """Return a model with each hard swish as a HardSigmoid and a product."""
    model = _folded(content)
    swished = dict(_hard_swishes(model.graph))
    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        name = node.output[0]
        if name not in swished:
            nodes.append(node)
            continue
        gate = helper.make_node(
            "HardSigmoid", [swished[name]], [f"{name}/gate"], alpha=1 / 6, beta=0.5
        )
        nodes += [gate, helper.make_node("Mul", [swished[name], gate.output[0]], [name])]
    del model.graph.node[:]
    model.graph.node.extend(_used(nodes, [output.name for output in model.graph.output]))
    opset = next(each for each in model.opset_import if not each.domain)
    del model.opset_import[:]
    model.opset_import.append(opset)
    onnx.checker.check_model(model)
    return model


def _folded(content: bytes) -> onnx.ModelProto:
    """Return a model after ONNX Runtime's optimisations that hold on any machine."""
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    with tempfile.TemporaryDirectory() as folder:
        options.optimized_model_filepath = str(Path(folder) / "folded.onnx")
        ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        return onnx.load(options.optimized_model_filepath)


def _hard_swishes(graph: onnx.GraphProto) -> Iterator[tuple[str, str]]:
    """Yield the output and the input of each x clip(x + 3, 0, 6) / 6."""
    single = {
        each.name: float(values)
        for each in graph.initializer
        if (values := numpy_helper.to_array(each)).ndim == 0
    }
    producers = {name: node for node in graph.node for name in node.output}
    consumers = {name: node for node in graph.node for name in node.input}
    for clip in graph.node:
        if clip.op_type != "Clip" or [single.get(name) for name in clip.input[1:]] != [0, 6]:
            continue
        shift = producers[clip.input[0]]
        product = consumers[clip.output[0]]
        quotient = consumers[product.output[0]]
        source, three = shift.input
        if (shift.op_type, product.op_type, quotient.op_type) != ("Add", "Mul", "Div"):
            continue
        if (single.get(three), single.get(quotient.input[1])) == (3, 6) and source in product.input:
            yield quotient.output[0], source


def _used(nodes: list[onnx.NodeProto], wanted: list[str]) -> list[onnx.NodeProto]:
    """Return the nodes, in order, that these tensors are computed from."""
    needed, kept = set(wanted), []
    for node in reversed(nodes):
        if needed & set(node.output):
            needed |= set(node.input)
            kept.append(node)
    return kept[::-1]


def main() -> None:
    """Convert the file that the command line names."""
    parser = argparse.ArgumentParser()
    for name in ("detector", "out"):
        parser.add_argument(name, type=Path)
    options = parser.parse_args()
    model = converted(options.detector.read_bytes())
    onnx.save(model, options.out)
    print(f"{options.out.name}: {options.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
