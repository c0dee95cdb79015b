"""What the probability of one character means."""

import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

from model.training import character_calibration, held_out
from model.training.character_calibration import bands, characters_of, judged, resized
from model.training.export import export
from model.training.network import Recogniser
from tests.training.conftest import SMALL_CHARSET

pytestmark = pytest.mark.training


def test_a_character_has_the_highest_probability_of_its_steps() -> None:
    """Equal classes in a row are one character, with a blank between them two."""
    steps = [(0, 0.9), (1, 0.6), (1, 0.8), (0, 0.9), (1, 0.7), (2, 0.5)]
    probabilities = np.full((6, 3), 0.01, np.float32)
    for row, (number, value) in zip(probabilities, steps, strict=True):
        row[number] = value
    found = characters_of(probabilities, "ab")
    assert [c for c, _ in found] == ["a", "a", "b"]
    assert [p for _, p in found] == pytest.approx([0.8, 0.7, 0.5])


def test_characters_are_judged_one_by_one() -> None:
    """A wrong one and one too many; white space does not count."""
    found = [("a", 0.9), (" ", 0.8), ("x", 0.4), ("c", 0.7), ("c", 0.3)]
    assert list(judged(found, "a b c")) == [(0.9, True), (0.4, False), (0.7, True), (0.3, False)]
    assert bands([(0.1, False), (0.99, True), (1.0, True)]).startswith("0.0 % of 1 | -")


def test_a_line_is_resized_as_in_the_service() -> None:
    """To a multiple of the stride; a short one is padded."""
    assert resized(np.zeros((24, 101, 3), np.uint8)).shape == (48, 200, 3)
    short = resized(np.zeros((24, 10, 3), np.uint8))
    assert short.shape == (48, 64, 3)
    assert (short[:, 20:] == 128).all()


def test_the_command_measures_held_out_sets(
    network: Recogniser, charset_path: Path, listing: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """A row for each set, and the parameters of the regression."""
    places = map(str, (charset_path, listing, tmp_path))
    kinds = ("english", "unknown")
    arguments = ["held_out", *places, "--lines", "2", "--kinds", *kinds]
    monkeypatch.setattr(sys, "argv", arguments)
    held_out.main()
    onnx.save(export(network, SMALL_CHARSET), tmp_path / "network.onnx")
    sets = [str(tmp_path / kind) for kind in kinds]
    arguments = ["character_calibration", str(tmp_path / "network.onnx"), *sets]
    monkeypatch.setattr(sys, "argv", arguments)
    character_calibration.main()
    printed = capsys.readouterr().out
    assert "| english |" in printed
    assert "| unknown |" in printed
    assert "% right: [" in printed
