"""The network as ONNX, in float32, float16 and int8."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import onnx
import pytest
import torch

from model.training import export as export_module
from model.training import quantise
from model.training.export import export, load, with_float16_weights
from model.training.lines import RenderedLine, as_input
from model.training.network import Crnn, Shape
from model.training.quantise import quantise_network
from tests.training.reading import read

if TYPE_CHECKING:
    from tests.training.conftest import RunOnnx

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def exported(network: Crnn, charset: Sequence[str]) -> onnx.ModelProto:
    """The network as ONNX, float32."""
    return export(network, charset)


@pytest.fixture(scope="module")
def file(exported: onnx.ModelProto, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file with float16 weights."""
    path = tmp_path_factory.mktemp("export") / "with_float16_weights.onnx"
    onnx.save(with_float16_weights(exported), path)
    return path


def some(lines: Sequence[RenderedLine], width_px: int, count: int) -> npt.NDArray[np.float32]:
    """Return lines of a width as the network's input."""
    return as_input([line.image for line in lines if line.image.shape[1] == width_px][:count])


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("width_px", [160, 320])
def test_the_output_is_the_networks(
    width_px: int,
    count: int,
    exported: onnx.ModelProto,
    network: Crnn,
    lines: Sequence[RenderedLine],
    run_onnx: "RunOnnx",
) -> None:
    """For any width and batch; the probabilities sum to 1."""
    images = some(lines, width_px, count)
    found = run_onnx(exported, images)
    with torch.no_grad():
        wanted = network(torch.from_numpy(images)).softmax(-1).numpy()
    assert found.shape == (count, width_px // 8, wanted.shape[-1])
    assert np.allclose(found, wanted, atol=1e-4)
    assert np.allclose(found.sum(-1), 1, atol=1e-4)
    assert not np.allclose(found, wanted[:, ::-1], atol=1e-2)


def test_the_charset_is_inside(exported: onnx.ModelProto, charset: Sequence[str]) -> None:
    """The service reads it from the metadata."""
    listed = {entry.key: entry.value for entry in exported.metadata_props}
    assert listed["character"].split("\n") == list(charset)
    assert listed["licence"] == "Apache-2.0"


def test_halves_are_half_as_large_and_read_the_same(
    exported: onnx.ModelProto, file: Path, lines: Sequence[RenderedLine], run_onnx: "RunOnnx"
) -> None:
    """It changes a probability by less than 0.01."""
    assert 0.45 < file.stat().st_size / exported.ByteSize() < 0.6
    images = some(lines, 160, 8)
    assert np.abs(run_onnx(file, images) - run_onnx(exported, images)).max() < 1e-2


def test_int8_is_smaller_still_and_reads_a_line(
    file: Path,
    shards: Path,
    tmp_path: Path,
    lines: Sequence[RenderedLine],
    charset: Sequence[str],
    run_onnx: "RunOnnx",
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Most lines are read as before; temporary files are gone."""
    target = tmp_path / "int8.onnx"
    monkeypatch.setattr(quantise, "_LINES", 6)
    quantise_network(file, target, shards)
    assert [path.name for path in tmp_path.iterdir()] == ["int8.onnx"]
    assert target.stat().st_size < 0.9 * file.stat().st_size
    images = some(lines, 160, 24)
    texts, before = (
        [read(scores, charset) for scores in run_onnx(each, images)] for each in (target, file)
    )
    wanted = [line.text for line in lines if line.image.shape[1] == 160]
    assert sum(a == b for a, b in zip(texts, before, strict=True)) > len(texts) / 2
    assert any(a == b for a, b in zip(texts, wanted, strict=True))


def test_int8_weights_leave_one_bit_unused(
    file: Path, shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that no processor saturates. Control: with all bits they use them."""
    largest = {}
    monkeypatch.setattr(quantise, "_LINES", 1)
    for all_bits in (False, True):
        target = tmp_path / f"{all_bits}.onnx"
        quantise_network(file, target, shards, all_bits=all_bits)
        weights = [
            onnx.numpy_helper.to_array(tensor)
            for tensor in onnx.load(target).graph.initializer
            if tensor.data_type == onnx.TensorProto.INT8 and len(tensor.dims) == 4
        ]
        assert len(weights) > 10
        largest[all_bits] = max(int(np.abs(each.astype(int)).max()) for each in weights)
    assert largest[False] <= 64 < largest[True]


def test_the_command_exports_what_a_run_checkpoint(
    network: Crnn,
    charset: Sequence[str],
    charset_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The weights are those of the checkpoint; the trunk only is smaller."""
    checkpoint = tmp_path / "weights.pt"
    torch.save({"shape": asdict(Shape()), "weights": network.state_dict()}, checkpoint)
    loaded = load(checkpoint, charset).state_dict()
    assert all(value.equal(loaded[name]) for name, value in network.state_dict().items())
    sizes = {}
    for more in ((), ("--trunk-only",)):
        out = tmp_path / f"{len(more)}.onnx"
        monkeypatch.setattr(
            sys, "argv", ["export", str(charset_path), str(checkpoint), str(out), *more]
        )
        export_module.main()
        sizes[more] = out.stat().st_size
    assert sizes[("--trunk-only",)] < sizes[()]
