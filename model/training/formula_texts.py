"""Formulas, quantities and terms with Greek letters and mathematical signs."""

import random

from model.training import phrases
from model.training.field_texts import digits
from model.training.word_list import WordList

_RELATIONS = "=====≈≠≤≥<>≡∝∈"
_OPERATORS = "+-×÷·±−∩∪∧∨∽≌"
_SUPERSCRIPTS, _SUBSCRIPTS = "²³⁴⁵⁶⁷⁸⁹ⁿ⁺⁻°′″", "₀₁₂₃₄₅₆₇₈₉"
_FUNCTIONS = ("sin", "cos", "tan", "log", "ln", "lim", "exp", "max", "f", "P", "E", "d")
_UNITS = ("μm", "μg", "Ω", "kΩ", "MΩ", "°", "℃", "μF", "μL", "μmol/L", "%", "‰", "m/s²", "rad")
_LETTERS = (
    "abcdefghknmpqrstuvwxyz", "ABCDEFGHKLMNPQRSTUVXYZ", phrases.GREEK_LOWER, phrases.GREEK_LOWER,
    phrases.GREEK_UPPER,
)  # fmt: skip
_TERMS = (
    "carotene", "globulin", "blocker", "helix", "ray", "decay", "lactamase", "amylase", "particle",
    "内酰胺", "淀粉酶", "胡萝卜素", "球蛋白", "射线", "粒子", "受体", "干扰素", "衰变", "螺旋",
    "葡聚糖",
    "酮戊二酸", "谷氨酰转移酶", "羟丁酸", "亚麻酸", "氨基丁酸", "地中海贫血",
)  # fmt: skip


def _variable(rng: random.Random) -> str:
    letter = rng.choice(rng.choice(_LETTERS))
    style = rng.random()
    if style < 0.16:
        return letter + rng.choice(_SUPERSCRIPTS)
    if style < 0.3:
        return letter + rng.choice(_SUBSCRIPTS)
    return letter


def _factor(rng: random.Random) -> str:
    style = rng.random()
    if style < 0.25:
        return str(rng.randint(1, 99))
    if style < 0.4:
        return f"{rng.choice(_FUNCTIONS)}{rng.choice(('', ' '))}{_variable(rng)}"
    if style < 0.48:
        return f"√{rng.choice((_variable(rng), str(rng.randint(2, 99))))}"
    if style < 0.55:
        return f"({_variable(rng)}{rng.choice('+-')}{_variable(rng)})"
    return "".join(_variable(rng) for _ in range(rng.randint(1, 2)))


def _expression(rng: random.Random, gap: str) -> str:
    text = _factor(rng)
    for _ in range(rng.randint(0, 2)):
        operator = rng.choice(_OPERATORS[:3] if rng.random() < 0.7 else _OPERATORS)
        text += f"{gap}{operator}{gap}{_factor(rng)}"
    return text


def _geometry(rng: random.Random) -> str:
    one, other = ("".join(rng.sample("ABCDEFGHMNOPQ", rng.randint(2, 3))) for _ in range(2))
    return rng.choice((
        f"∠{one}={rng.randint(1, 180)}°", f"∠{one} = ∠{other}", f"{one[:2]}∥{other[:2]}",
        f"{one[:2]} ⊥ {other[:2]}", f"△{one}≌△{other}", f"△{one}∽△{other}", f"⊙{one[0]}",
        f"∵ {one[:2]}∥{other[:2]}", f"∴ ∠{rng.randint(1, 4)} = ∠{rng.randint(5, 8)}",
        f"∠{one[0]}+∠{other[0]}=90°",
    ))  # fmt: skip


def formula(rng: random.Random) -> str:
    """Return an equation, a set, an integral, or a statement of geometry."""
    gap = rng.choice(("", "", " "))
    style = rng.random()
    if style < 0.2:
        return _geometry(rng)
    if style < 0.3:
        sign = rng.choice("∑∏∫∮∞√")
        return f"{sign}{_factor(rng)}{gap}{rng.choice(_RELATIONS)}{gap}{_factor(rng)}"
    if style < 0.4:
        return f"{_variable(rng)}{gap}{rng.choice('∈∩∪∧∨≈≠≡')}{gap}{_variable(rng)}"
    if style < 0.5:
        return "".join(
            rng.choices("∠∥∩∪≈≠≤≥≡∑∏∞√∫∴∵⊥⊙∽≌∈∝±×÷" + phrases.GREEK_LOWER, k=rng.randint(2, 7))
        )
    left = _expression(rng, gap)
    if style < 0.6:
        return left
    return f"{left}{gap}{rng.choice(_RELATIONS)}{gap}{_expression(rng, gap)}"


def greek(rng: random.Random, words: WordList) -> str:
    """Return a quantity or a term with a Greek letter, or some of the letters."""
    lower, upper = rng.choice(phrases.GREEK_LOWER), rng.choice(phrases.GREEK_UPPER)
    value = f"{rng.uniform(0, 99):.{rng.randint(0, 3)}f}"
    return rng.choice((
        f"{lower}-{rng.choice(_TERMS)}", f"{rng.choice('αβγδ')}-{rng.choice(_TERMS)} {value}",
        f"{words.sample(rng).upper()[:4]}-{rng.choice('αβγδ')}", f"{lower} = {value}",
        f"{lower}={value}",
        f"{upper}{rng.choice('tTEGHSPVx')} = {value}", f"{value} {rng.choice(_UNITS)}",
        f"{value}{rng.choice(_UNITS)}",
        f"{lower} {words.sample(rng)}", f"{words.sample(rng)} {lower}{rng.choice('₀₁₂')}",
        f"{rng.choice('βαγ')}{rng.choice(_TERMS)}",
        " ".join(rng.sample(phrases.GREEK_LOWER, rng.randint(2, 6))),
        "".join(rng.sample(phrases.GREEK_LOWER, rng.randint(2, 8))),
        "".join(rng.choices(phrases.GREEK_UPPER + phrases.GREEK_LOWER, k=rng.randint(1, 6))),
        f"π ≈ 3.{digits(rng, rng.randint(2, 6))}", f"({lower}, {rng.choice(phrases.GREEK_LOWER)})",
        f"{rng.randint(1, 20)}{lower}", f"±{rng.randint(1, 9)}σ",
        f"{rng.randint(10, 999)}μ{rng.choice('mgLsFA')}",
    ))  # fmt: skip
