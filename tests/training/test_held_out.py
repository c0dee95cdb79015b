"""The held-out sets: lines with faces, texts and degradations that training never has."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.training import degrade, held_out, print_effects
from model.training.held_out import HeldOutLines
from model.training.text import KINDS

pytestmark = pytest.mark.training


def test_held_out_sets_are_written_with_their_labels(
    charset_path: Path, listing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder for each kind; each image is one line in its original size."""
    places = map(str, (charset_path, listing, tmp_path))
    monkeypatch.setattr(sys, "argv", ["held_out", *places, "--lines", "2"])
    held_out.main()
    assert {folder.name for folder in tmp_path.iterdir()} == set(KINDS)
    for kind in KINDS:
        text = (tmp_path / kind / "labels.jsonl").read_text("utf-8")
        labels = [json.loads(line) for line in text.splitlines()]
        assert [label["image"] for label in labels] == ["0000.png", "0001.png"]
        for label in labels:
            (line,) = label["lines"]
            with Image.open(tmp_path / kind / label["image"]) as image:
                assert line["polygon"][2] == list(image.size)
            assert line["text"]


def test_the_same_number_gives_the_same_line(listing: Path, charset: Sequence[str]) -> None:
    """Whatever was rendered before; another number or seed gives another line."""
    lines = HeldOutLines(listing, set(charset), seed=1, held_out=True)
    first, other, again = (lines.render(number, "english") for number in (5, 6, 5))
    assert again.text == first.text
    assert np.array_equal(again.image, first.image)
    assert other.text != first.text
    reseeded = HeldOutLines(listing, set(charset), seed=2, held_out=True)
    assert reseeded.render(5, "english").text != first.text


def test_a_text_that_no_face_has_is_replaced(listing: Path) -> None:
    """A line's text is one that a face has."""
    latin = {*"abcdefghijklmnopqrstuvwxyz"}
    line = HeldOutLines(listing, latin, seed=1, held_out=True).render(1, "english")
    assert set(line.text) <= latin | {" "}


def test_held_out_faces_are_not_in_the_folder_for_training(listing: Path, folder: Path) -> None:
    """Control: the listing has each face twice, once held out."""
    listed, prepared = (
        [entry["held_out"] for entry in json.loads(path.read_text("utf-8"))]
        for path in (listing, folder / "fonts" / "faces.json")
    )
    assert sorted(listed) == [False] * 3 + [True] * 3
    assert prepared == [False] * 3


def test_some_degradations_are_held_out() -> None:
    """They are only used in the held-out sets."""
    tables = (print_effects.TRAINING, print_effects.SMALL_PRINT, degrade.HELD_OUT)
    training, small, held = ({degradation for degradation, _ in table} for table in tables)
    assert held - training - small == {degrade.median, degrade.pepper, degrade.webp}
    assert small < training
