"""What a run begins with: texts, fonts, weights and the teacher."""

import json
import random
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
import torch

from model.training import phrases, prepare_texts, prepare_weights
from model.training.augment import as_input, augmented
from model.training.checkpoint import weights_of
from model.training.confusable_texts import look_alikes, narrow, symbols
from model.training.line_texts import LineTexts
from model.training.network import Recogniser
from model.training.receipt_texts import field, receipt
from model.training.teacher import teacher_charset
from model.training.train import load_teacher
from model.training.word_list import WordList
from model.training.words import sentences
from tests.training.conftest import SMALL_CHARSET

if TYPE_CHECKING:
    from tests.training.conftest import RunOnnx

pytestmark = pytest.mark.training

UNKNOWN = "\ue000"  # to the teacher


@pytest.fixture(scope="module")
def teacher_model(teacher_path: Path) -> onnx.ModelProto:
    """The teacher as ONNX."""
    return onnx.load(teacher_path)


def test_texts_are_written_within_the_charset(
    charset_path: Path, charset: Sequence[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some of them from the laws; words have weights. None is held out."""
    law = '第一条　为了规范"公共"活动，根据宪法，制定本法。'
    with sqlite3.connect(tmp_path / "laws.db") as database:
        database.execute("CREATE TABLE articles (article_text TEXT)")
        database.execute("INSERT INTO articles VALUES (?)", (law,))
    database.close()
    places = map(str, (charset_path, tmp_path / "laws.db", tmp_path))
    monkeypatch.setattr(sys, "argv", ["prepare_texts", *places, "--lines", "300"])
    prepare_texts.main()
    texts = (tmp_path / "texts.txt").read_text("utf-8").splitlines()
    assert 250 < len(texts) <= 300
    assert set("".join(texts)) <= {" ", *charset}
    assert any(text[:8] in law.replace('"', "") for text in texts if len(text) > 7)
    words = WordList(tmp_path / "words.txt")
    sampled = [words.sample(random.Random(seed)) for seed in range(300)]
    assert len(set(sampled)) > 100
    held_out = "\n".join(sentences(held_out=True))
    assert not any(text in held_out for text in texts if len(text) > 9 and text[0] > "一")


def test_generated_texts_have_many_forms(folder: Path) -> None:
    """Each kind many texts, the same for the same seed."""
    words = WordList(folder / "words.txt")
    for kind in (receipt, field, look_alikes, narrow, symbols):
        texts, again = ([kind(random.Random(s), words) for s in range(200)] for _ in range(2))
        assert texts == again
        assert all(texts)
        assert len(set(texts)) > 120


def test_a_lines_text_is_within_the_charset(folder: Path) -> None:
    """With single spaces; what is rendered for it differs in gaps and glyphs only."""
    texts = LineTexts(folder, SMALL_CHARSET, weak=0.3)
    rng = random.Random(1)
    lines = [texts.sample(rng) for _ in range(2000)]
    back = {shown: sign for sign, shown in phrases.VERTICAL_FORMS.items()}
    for line in lines:
        assert line.text == " ".join(line.text.split())
        assert set(line.text) <= {" ", *SMALL_CHARSET}
        assert len(line.text) <= 64
        shown = "".join(back.get(c, c) for c in " ".join(line.shown.split()))
        assert shown == line.text
    assert any("  " in line.shown for line in lines)


def test_appended_classes_begin_with_the_teachers_weights(
    network: Recogniser, teacher_model: onnx.ModelProto
) -> None:
    """The old ones keep theirs; the space stays last; what the teacher lacks is rare."""
    state = weights_of(network, network.state_dict(), SMALL_CHARSET)
    begun = prepare_weights.extended(state, teacher_model, [*SMALL_CHARSET, "丁", UNKNOWN])
    own, new = state["weights"]["classifier.weight"], begun["weights"]["classifier.weight"]
    assert len(new) == len(own) + 2
    assert new[: len(own) - 1].equal(own[:-1])
    assert new[-1].equal(own[-1])
    rows, _, known = prepare_weights.rows_for(teacher_model, ["丁", UNKNOWN])
    assert known.tolist() == [True, False]
    assert torch.allclose(new[-3].float(), rows[1], atol=1e-3)
    assert begun["charset"] == "\n".join([*SMALL_CHARSET, "丁", UNKNOWN])


def test_characters_must_be_appended(network: Recogniser, teacher_model: onnx.ModelProto) -> None:
    """Another order would give the classes other characters."""
    state = weights_of(network, network.state_dict(), SMALL_CHARSET)
    with pytest.raises(ValueError, match="must begin with"):
        prepare_weights.extended(state, teacher_model, ["丁", *SMALL_CHARSET])


def test_the_teacher_in_torch_is_the_teacher(
    teacher_path: Path, run_onnx: "RunOnnx", tmp_path: Path
) -> None:
    """The same probabilities, among the classes of our charset; those it lacks have none."""
    charset = [*"永国Aab0", UNKNOWN]
    network = prepare_weights.load_teacher(teacher_path, charset)
    torch.save({k: v.half() for k, v in network.state_dict().items()}, tmp_path / "teacher.pt")
    images = np.random.default_rng(0).uniform(-1, 1, (2, 3, 48, 96)).astype(np.float32)
    teacher_model = onnx.load(teacher_path)
    teacher_model.graph.input[0].name = "images"
    for node in teacher_model.graph.node:
        node.input[:] = ["images" if name == "x" else name for name in node.input]
    every = run_onnx(teacher_model, images)
    known = teacher_charset(teacher_path)
    classes = [0, *(1 + known.index(c) for c in charset[:-1]), every.shape[-1] - 1]
    wanted = every[..., classes] / every[..., classes].sum(-1, keepdims=True)
    for each in (network, load_teacher(tmp_path / "teacher.pt", torch.device("cpu"))):
        with torch.no_grad():
            found = each(torch.from_numpy(images)).softmax(-1).numpy()
        assert found[..., -2].max() < 1e-6
        assert np.allclose(np.delete(found, -2, -1), wanted, atol=0.02)


def test_augmentation_changes_some_lines_a_little() -> None:
    """In range and shape; the network's input is BGR."""
    images = torch.zeros(64, 48, 104, 3, dtype=torch.uint8)
    images[..., 0], images[:, 10:30, 20:80] = 255, 128
    plain, changed = as_input(images), augmented(images)
    assert plain.shape == changed.shape == (64, 3, 48, 104)
    assert float(plain[0, 2, 0, 0]) == 1
    assert float(plain[0, 0, 0, 0]) == -1
    assert float(changed.abs().max()) <= 1
    difference = (changed - plain).abs().mean((1, 2, 3))
    assert 0 < float(difference.mean()) < 0.3
    assert int((difference < 1e-6).sum()) >= 1


def test_the_listing_of_a_folder_is_relative(folder: Path) -> None:
    """So that it can be copied to another machine; the coverage has the charset."""
    entries: list[dict[str, Any]] = json.loads((folder / "fonts" / "faces.json").read_text("utf-8"))
    coverage = json.loads((folder / "fonts" / "coverage.json").read_text("utf-8"))
    assert {entry["path"] for entry in entries} == set(coverage)
    assert not any("/" in entry["path"] for entry in entries)
    chinese = next(entry["path"] for entry in entries if entry["chinese"])
    assert set(map(ord, SMALL_CHARSET)) <= set(coverage[chinese])
