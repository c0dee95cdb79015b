"""The operations that bench/stages.py gives for a pixel are those of the files."""

import math

import onnx
import pytest

from bench.stages import OPERATIONS
from model.weights import load_manifest

HEIGHT_PX = 736  # of a page; a recogniser has a height of its own
WIDTH_PX = {"detector": 736, "recogniser": 320}


def of_convolutions(model: onnx.ModelProto) -> int:
    """Count the multiplications and additions of a network's convolutions."""
    model = onnx.shape_inference.infer_shapes(model, data_prop=True)
    graph = model.graph
    shapes = {
        value.name: [each.dim_value for each in value.type.tensor_type.shape.dim]
        for value in (*graph.value_info, *graph.output, *graph.input)
    }
    shapes |= {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            shapes[node.output[0]] = list(node.attribute[0].t.dims)
        elif node.op_type in {"DequantizeLinear", "Cast"} and node.input[0] in shapes:
            shapes.setdefault(node.output[0], shapes[node.input[0]])
    count = 0
    for node in graph.node:
        if node.op_type in {"Conv", "ConvTranspose"}:
            grid = shapes[node.output[0] if node.op_type == "Conv" else node.input[0]]
            count += 2 * math.prod(grid) * math.prod(shapes[node.input[1]][1:])
    return count


@pytest.mark.parametrize("name", OPERATIONS)
def test_counts_are_those_of_the_files(name: str) -> None:
    """Convolutions are nearly all there is: four fifths and more."""
    entry = load_manifest()[name]
    model = onnx.load(entry.file.locate())
    height, width = entry.height_px or HEIGHT_PX, WIDTH_PX[entry.kind]
    for axis, size in zip(
        model.graph.input[0].type.tensor_type.shape.dim, (1, 3, height, width), strict=True
    ):
        axis.dim_value = size
    counted = of_convolutions(model) / (height * width)
    assert 0.8 < counted / OPERATIONS[name] < 1.01
