"""The held-out sets, and the calibration of the confidence."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.training import held_out
from model.training.calibrate import fit

pytestmark = pytest.mark.training


def test_held_out_sets_are_written_with_their_labels(
    charset_path: Path, listing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder for each kind; each image is one line in its original size."""
    places = map(str, (charset_path, listing, tmp_path))
    monkeypatch.setattr(sys, "argv", ["held_out", *places, "--lines", "2"])
    held_out.main()
    assert {folder.name for folder in tmp_path.iterdir()} == set(held_out.KINDS)
    for kind in held_out.KINDS:
        text = (tmp_path / kind / "labels.jsonl").read_text("utf-8")
        labels = [json.loads(line) for line in text.splitlines()]
        assert [label["image"] for label in labels] == ["0000.png", "0001.png"]
        for label in labels:
            (line,) = label["lines"]
            with Image.open(tmp_path / kind / label["image"]) as image:
                assert line["polygon"][2] == list(image.size)
            assert line["text"]


def test_a_calibration_finds_the_parameters_of_its_lines() -> None:
    """Of simulated lines; if correctness does not depend on the NLL, the slope is 0."""
    rng = np.random.default_rng(1)
    doubts = np.exp(rng.uniform(-8, 2, 8000))
    chance = 1 / (1 + np.exp(1.2 * np.log(doubts) + 0.5))
    slope, intercept = fit(doubts, (rng.random(8000) < chance).astype(float))
    assert slope == pytest.approx(-1.2, abs=0.1)
    assert intercept == pytest.approx(-0.5, abs=0.2)
    slope, _ = fit(doubts, (rng.random(8000) < 0.7).astype(float))
    assert abs(slope) < 0.05
