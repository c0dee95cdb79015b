"""What the confidence of a word means."""

import sys
from pathlib import Path

import numpy as np
import pytest

from model.training import held_out, word_calibration
from model.training.calibrate import fit_logistic
from model.training.word_calibration import bands, judged

pytestmark = pytest.mark.training


def test_words_are_judged_one_by_one() -> None:
    """One with a wrong character, with one too many, or without one, is wrong; no other is."""
    assert list(judged(["Total", "12.50", "EUR"], "Total 12.80 EUR")) == [True, False, True]
    assert list(judged(["Tottal", "元", "EUR"], "Total 元EUR")) == [False, True, True]
    assert list(judged(["Totl", "EUR"], "Total EUR")) == [False, True]
    assert list(judged(["\uff11"], "1")) == [True]
    assert list(judged([], "1")) == []


def test_a_band_has_the_words_with_that_confidence() -> None:
    """Of three words, one has a confidence of one half, and is wrong."""
    found = [(0.0, 0.0, False), (-9.0, -9.0, True), (-9.0, -9.0, True)]
    row = bands(found, np.array([-1.0, 0.0, 0.0]))
    assert row == "- | - | 0.0 % of 1 | - | - | - | - | 100.0 % of 2"


def test_two_slopes_are_found() -> None:
    """Those with which the words were drawn."""
    rng = np.random.default_rng(0)
    features = np.column_stack([rng.normal(-2, 2, (20_000, 2)), np.ones(20_000)])
    chance = 1 / (1 + np.exp(-features @ (-0.8, -0.3, -0.7)))
    found = fit_logistic(features, (rng.random(20_000) < chance).astype(float))
    assert found == pytest.approx([-0.8, -0.3, -0.7], abs=0.1)


def test_the_command_measures_held_out_sets(
    charset_path: Path, listing: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Two rows for each set, and the parameters for the manifest."""
    places = map(str, (charset_path, listing, tmp_path))
    kinds = ("english", "unknown")
    arguments = ["held_out", *places, "--lines", "2", "--kinds", *kinds]
    monkeypatch.setattr(sys, "argv", arguments)
    held_out.main()
    sets = [str(tmp_path / kind) for kind in kinds]
    monkeypatch.setattr(sys, "argv", ["word_calibration", "sealed-crnn-v2", *sets])
    word_calibration.main()
    printed = capsys.readouterr().out
    for kind in kinds:
        assert f"| {kind}, word |" in printed
        assert f"| {kind}, char |" in printed
    assert "word_calibration = [" in printed
