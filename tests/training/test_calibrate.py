"""The calibration of the confidence."""

import re
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

from model.training import calibrate
from model.training.export import export
from model.training.network import Recogniser
from tests.training.conftest import SMALL_CHARSET

pytestmark = pytest.mark.training


def test_a_calibration_finds_the_parameters_of_its_lines() -> None:
    """Of simulated lines; if correctness does not depend on the NLL, the slope is 0."""
    rng = np.random.default_rng(1)
    doubts = np.exp(rng.uniform(-8, 2, 8000))
    chance = 1 / (1 + np.exp(1.2 * np.log(doubts) + 0.5))
    slope, intercept = calibrate.fit(doubts, (rng.random(8000) < chance).astype(float))
    assert slope == pytest.approx(-1.2, abs=0.1)
    assert intercept == pytest.approx(-0.5, abs=0.2)
    slope, _ = calibrate.fit(doubts, (rng.random(8000) < 0.7).astype(float))
    assert abs(slope) < 0.05


def test_the_input_is_bgr_between_minus_one_and_one() -> None:
    """The last channel of an image is the first of the input."""
    image = np.zeros((48, 64, 3), np.uint8)
    image[..., 0] = 255
    given = calibrate.as_input(image)
    assert given.shape == (1, 3, 48, 64)
    assert given.dtype == np.float32
    assert (given[:, 2] == 1).all()
    assert (given[:, :2] == -1).all()


def test_the_command_prints_the_line_of_the_manifest(
    network: Recogniser,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With the share of correct lines, which a network that has learnt nothing lacks."""
    onnx.save(export(network, SMALL_CHARSET), tmp_path / "network.onnx")
    arguments = ["calibrate", str(tmp_path / "network.onnx"), str(folder), "--lines", "6"]
    monkeypatch.setattr(sys, "argv", arguments)
    calibrate.main()
    number = r"-?\d+\.\d{3}"
    expected = rf"calibration = \[{number}, {number}\]  # 0.0% correct\n"
    assert re.fullmatch(expected, capsys.readouterr().out)
