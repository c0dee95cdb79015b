"""The texts of the kinds that are recognised worst, and how they are printed."""

import random
from pathlib import Path

import numpy as np
import pytest

from model.training import line_renderer
from model.training.formula_texts import formula, greek
from model.training.line_renderer import FontSet
from model.training.line_texts import LineText, LineTexts
from model.training.weak_texts import WeakTexts
from model.training.word_list import WordList

pytestmark = pytest.mark.training


def test_each_kind_of_text_occurs(folder: Path) -> None:
    """Words with accents, look-alikes, dashes, boxes, formulas; in all ways of printing."""
    texts = WeakTexts(folder)
    found = [texts.sample(random.Random(seed)) for seed in range(600)]
    every = "\n".join(text for text, _ in found)
    for part in ("größer", "ÉTÉ", "磷酸酶", "颐", "--", "——", "☑", "☐", "∠", "β"):
        assert part in every
    assert {printing for _, printing in found} == {"", "worn", "small", "high"}
    assert texts.sample(random.Random(5)) == found[5]


def test_formulas_vary(folder: Path) -> None:
    """Hardly one is like another; all have a relation, an operator, a Greek letter or a digit."""
    words = WordList(folder / "words.txt")
    assert len({formula(random.Random(seed)) for seed in range(200)}) > 170
    assert len({greek(random.Random(seed), words) for seed in range(200)}) > 150


def test_their_share_is_what_was_asked_for(folder: Path) -> None:
    """None without a share; the usual kinds remain beside them."""
    charset = [*map(chr, range(0x21, 0x7F)), *"éßö磷酸酶颐和园额度☑☐"]
    rare = frozenset("éßö磷颐额☑☐")
    shares = []
    for weak in (0.0, 0.5, 1.0):
        texts, rng = LineTexts(folder, charset, weak=weak), random.Random(1)
        lines = [texts.sample(rng).text for _ in range(200)]
        shares.append(sum(not rare.isdisjoint(line) for line in lines))
    none, half, all_ = shares
    assert none < half < all_


def test_a_line_is_printed_as_its_text_says(folder: Path) -> None:
    """Small letters in a small image; a high crop around letters that are a part of it."""
    fonts = FontSet.load(folder / "fonts")
    heights = {
        printing: np.median(
            [
                line_renderer.render(
                    random.Random(seed), LineText("Total 17", "Total 17", printing), fonts
                ).shape[0]
                for seed in range(30)
            ]
        )
        for printing in ("", "small", "high", "worn")
    }
    assert heights["small"] < 0.8 * heights[""]
    assert heights["high"] > 1.4 * heights[""]
