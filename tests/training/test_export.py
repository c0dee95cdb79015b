"""The network as ONNX: the same values as in training, float and int8."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
import torch

from model.training import export as export_module
from model.training.checkpoint import save, weights_of
from model.training.export import export
from model.training.layers import FakeQuantise
from model.training.network import Recogniser
from tests.training.conftest import SMALL_CHARSET

if TYPE_CHECKING:
    from tests.training.conftest import RunOnnx

pytestmark = pytest.mark.training


def images_of(count: int, width_px: int) -> torch.Tensor:
    """Return random images whose values are those of bytes."""
    generator = torch.Generator().manual_seed(5)
    size = (count, 3, 48, width_px)
    return torch.randint(0, 256, size, generator=generator).float() / 127.5 - 1


def probabilities(network: Recogniser, images: torch.Tensor) -> "np.typing.NDArray[np.float32]":
    """Return the network's output."""
    with torch.no_grad():
        found: np.typing.NDArray[np.float32] = network(images).softmax(-1).numpy()
    return found


@pytest.mark.parametrize(("count", "width_px"), [(1, 64), (3, 200)])
def test_float_is_the_network(
    network: Recogniser, run_onnx: "RunOnnx", count: int, width_px: int
) -> None:
    """For any width and batch; the probabilities sum to 1."""
    images = images_of(count, width_px)
    found = run_onnx(export(network, SMALL_CHARSET, quantised=False), images.numpy())
    wanted = probabilities(network, images)
    assert found.shape == wanted.shape == (count, width_px // 8, len(SMALL_CHARSET) + 2)
    assert np.allclose(found, wanted, atol=1e-5)
    assert np.allclose(found.sum(-1), 1, atol=1e-4)
    assert not np.allclose(found, wanted[:, ::-1], atol=1e-5)


@pytest.mark.parametrize("lstm_int8", [False, True])
def test_int8_is_the_network_as_it_is_quantised_in_training(
    network: Recogniser, run_onnx: "RunOnnx", monkeypatch: pytest.MonkeyPatch, *, lstm_int8: bool
) -> None:
    """Nearer than the network in float is: weights and values are rounded in the same way."""
    images = images_of(3, 200)
    model = export(network, SMALL_CHARSET, lstm_int8=lstm_int8)
    found = np.concatenate([run_onnx(model, image[None].numpy()) for image in images])
    in_float = probabilities(network, images)
    monkeypatch.setattr(FakeQuantise, "mode", "quantise")
    quantised = probabilities(network, images)
    near, far = (float(np.abs(found - each).mean()) for each in (quantised, in_float))
    assert near < far / 2


def test_int8_reads_one_line_at_a_time(network: Recogniser) -> None:
    """The gates of a squeezed block are the scales of weights, which a batch would share."""
    model = export(network, SMALL_CHARSET)
    gated = [node for node in model.graph.node if node.op_type == "QLinearConv"]
    weights = {tensor.name for tensor in model.graph.initializer}
    assert gated
    assert not weights & {node.input[4] for node in gated}
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_value == 1


def test_int8_weights_have_seven_bits(network: Recogniser) -> None:
    """With eight, AVX2 saturates sums of two products. All layers but a few are int8."""
    model = export(network, SMALL_CHARSET)
    weights = [
        onnx.numpy_helper.to_array(tensor).astype(int)
        for tensor in model.graph.initializer
        if tensor.data_type == onnx.TensorProto.INT8 and len(tensor.dims) > 1
    ]
    assert len(weights) > 40
    assert max(int(np.abs(each).max()) for each in weights) == 63


def test_the_command_exports_a_checkpoint(
    network: Recogniser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service reads the charset from the metadata; int8 is smaller than float."""
    save(weights_of(network, network.state_dict(), SMALL_CHARSET), tmp_path / "weights.pt")
    sizes = {}
    for more in ([], ["--float"]):
        out = tmp_path / f"{len(more)}.onnx"
        monkeypatch.setattr(sys, "argv", ["export", str(tmp_path / "weights.pt"), str(out), *more])
        export_module.main()
        sizes[len(more)] = out.stat().st_size
        listed = {entry.key: entry.value for entry in onnx.load(out).metadata_props}
        assert listed == {"character": "\n".join(SMALL_CHARSET), "licence": "Apache-2.0"}
    assert sizes[0] < sizes[1]
