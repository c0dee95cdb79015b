"""Numbers, dates, codes, names and addresses."""

import random
import re
from collections.abc import Callable

import pytest

from model.training import forms, phrases

pytestmark = pytest.mark.training

Form = Callable[[random.Random], str]
SHAPES: dict[Form, str] = {
    forms.number: r"\d+(\.\d+)?\D{0,3}",
    forms.date: r".*(\d{4}|\d\d|\d{1,2}:\d\d.*|日)",
    forms.amount: r"\D{0,5}[\d., ]+\D{0,3}",
    forms.capitals: r"([壹贰叁肆伍陆柒捌玖][仟佰拾万元角分])+(圆?整)?",
    forms.item: r"\d.*\d{2}.*",
}


@pytest.mark.parametrize("form", SHAPES, ids=lambda form: form.__name__)
def test_a_form_looks_like_one(form: Form) -> None:
    """Every text of a form has its pattern, and most differ."""
    texts = [form(random.Random(seed)) for seed in range(100)]
    for text in texts:
        assert re.fullmatch(SHAPES[form], text), text
    assert len(set(texts)) > 60


def test_a_form_is_told_from_another() -> None:
    """Control: an amount in capitals does not match a number."""
    assert not re.fullmatch(SHAPES[forms.number], forms.capitals(random.Random(1)))


def test_digits_are_as_many_as_asked_for() -> None:
    """And nothing else."""
    assert re.fullmatch(r"\d{17}", forms.digits(random.Random(3), 17))


def test_names_and_addresses_are_of_their_script() -> None:
    """Latin letters or Chinese characters, each on one line."""
    western = [forms.western(random.Random(seed)) for seed in range(40)]
    eastern = [forms.eastern(random.Random(seed)) for seed in range(40)]
    assert not any("\n" in text or len(text) > 60 for text in western)
    assert not any(re.search("[一-鿿]", text) for text in western)
    assert all(re.search("[一-鿿]", text) for text in eastern)


def test_a_labels_value_follows_it() -> None:
    """The name of a field and an amount, date, code or number."""
    for seed in range(60):
        text = forms.labelled(random.Random(seed))
        assert text.startswith((*forms._LABELS, *phrases.CHINESE_FIELDS)), text


def test_the_same_seed_draws_the_same() -> None:
    """Also the texts of faker, whatever it generated before."""
    first = [forms.generate(random.Random(seed)) for seed in range(50)]
    forms.western(random.Random(7))
    assert [forms.generate(random.Random(seed)) for seed in range(50)] == first
    assert [forms.generate(random.Random(seed)) for seed in range(50, 100)] != first
