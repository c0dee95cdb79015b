"""The held-out sets: lines with faces, texts and degradations that training never has."""

import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.training import degrade, held_out, prepare_terms, print_effects
from model.training.held_out import SETS, HeldOutLines
from model.training.held_out_texts import HeldOutTexts

pytestmark = pytest.mark.training


def test_held_out_sets_are_written_with_their_labels(
    charset_path: Path, listing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder for each kind; each image is one line in its original size."""
    places = map(str, (charset_path, listing, tmp_path))
    monkeypatch.setattr(sys, "argv", ["held_out", *places, "--lines", "2"])
    held_out.main()
    assert {folder.name for folder in tmp_path.iterdir()} == set(SETS)
    for kind in SETS:
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


def test_words_of_the_held_out_sets_are_never_trained_on(
    charset: Sequence[str], charset_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tenth of the words with accents or look-alikes, of each kind."""
    monkeypatch.setattr(sys, "argv", ["prepare_terms", str(charset_path), str(tmp_path)])
    prepare_terms.main()
    listed = (tmp_path / "accented.txt").read_text("utf-8").splitlines()
    trained = {line.split(" ")[1] for line in listed} | {
        *(tmp_path / "terms.txt").read_text("utf-8").splitlines()
    }
    assert not any(prepare_terms.held_out(word) for word in trained)
    texts = HeldOutTexts(frozenset(charset))
    for number in range(40):
        words = texts.generate(random.Random(number), "accents").lower().split()
        assert not trained & set(words)
    known = set(prepare_terms.terms(frozenset(charset)))
    assert 0.05 < len(known - trained) / len(known) < 0.15


def test_small_letters_are_small_and_worn_ones_pale(listing: Path, charset: Sequence[str]) -> None:
    """Amounts are 10 to 14 px high; worn print differs less from its paper than other print."""
    lines = HeldOutLines(listing, frozenset(charset), seed=1, held_out=True)
    small = [lines.render(number, "small").image for number in range(12)]
    assert all(image.shape[0] < 26 for image in small)
    worn, plain = (
        np.median([np.ptp(lines.render(number, kind).image.mean(2)) for number in range(30)])
        for kind in ("worn", "numbers")
    )
    assert worn < plain
