"""Lines as receipts, invoices and letterheads have them."""

import random
from collections.abc import Callable

from model.training import phrases
from model.training.field_texts import amount, capitals, cased, code, date, digits, item, number
from model.training.word_list import WordList


def _goods(rng: random.Random, words: WordList) -> str:
    text = cased(rng, words.some(rng, 1, 4))
    if rng.random() < 0.45:
        text += f" {rng.randint(1, 999)}{rng.choice(('', ' '))}{rng.choice(phrases.UNITS)}"
    if rng.random() < 0.15:
        text = f"{digits(rng, rng.randint(2, 13))} {text}"
    if rng.random() < 0.15:
        text += f" ({cased(rng, words.some(rng, 1, 2))})"
    return f"{text} {amount(rng)}" if rng.random() < 0.25 else text


def _labelled(rng: random.Random, words: WordList) -> str:
    value = rng.choice(
        (
            amount,
            amount,
            date,
            number,
            lambda r: code(r, words),
            lambda r: cased(r, words.some(r, 1, 2)),
        )
    )(rng)
    if rng.random() < 0.22:
        return rng.choice(phrases.CHINESE_LABELS) + rng.choice(("：", ":", " ", "", "： ")) + value
    label = cased(rng, rng.choice(phrases.PHRASES) if rng.random() < 0.7 else words.some(rng, 1, 3))
    return (
        label + rng.choice((" : ", ": ", ":", " ", " :", "", " - ", ".")) + value
        if rng.random() < 0.75
        else label
    )


def _address(rng: random.Random, words: WordList) -> str:
    number_, street = rng.randint(1, 300), cased(rng, words.some(rng, 1, 2))
    return rng.choice(
        (
            f"NO. {number_}, JALAN {street.upper()} {rng.randint(1, 30)}/{rng.randint(1, 30)}",
            f"NO {number_}-{number_ + 2}, {street}",
            f"LOT {number_}, {street},",
            f"{number_} {street} Street, {cased(rng, words.sample(rng))}",
            f"{number_} {street} Road,",
            f"{digits(rng, 5)} {street.upper()}",
            f"{street}, {digits(rng, 5)} {cased(rng, words.sample(rng))}.",
            f"TAMAN {street.upper()}, {digits(rng, 5)}",
            f"{number_}A, {street} Avenue",
            f"Unit {number_}, Level {rng.randint(1, 40)}, {street} Tower",
            f"{number_} & {number_ + 2}, {street}",
            f"P.O. Box {digits(rng, 4)}, {street}",
            f"{street.upper()} {digits(rng, 5)}-{digits(rng, 4)}",
        )
    )


def _row(rng: random.Random, words: WordList) -> str:
    cells = (
        lambda: str(rng.randint(1, 99)),
        lambda: f"{rng.uniform(0, 999):.2f}",
        lambda: amount(rng),
        lambda: cased(rng, words.some(rng, 1, 2)),
        lambda: rng.choice(phrases.UNITS),
        lambda: rng.choice(("SR", "ZR", "ZRL", "T", "S", "6%", "0%", "E")),
        lambda: digits(rng, rng.randint(3, 8)),
        lambda: f"{rng.uniform(0, 9):.3f}",
    )
    return " ".join(rng.choice(cells)() for _ in range(rng.randint(1, 5)))


def _contact(rng: random.Random, words: WordList) -> str:
    return rng.choice(
        (
            f"TEL: {digits(rng, 2)}-{digits(rng, 7)}",
            f"Tel : {digits(rng, 2)}-{digits(rng, 8)} Fax : {digits(rng, 2)}-{digits(rng, 8)}",
            f"GST NO : {digits(rng, 12)}",
            f"(GST ID NO: {digits(rng, 12)})",
            f"CO. REG. NO: {digits(rng, 6)}-{rng.choice('ABCDHKMPTUVWX')}",
            f"GST REG #{digits(rng, 12)}",
            f"INVOICE #: {code(rng, words)}",
            f"PAGE {rng.randint(1, 9)} OF {rng.randint(1, 9)}",
            f"Email: {words.sample(rng)}@{words.sample(rng)}.com",
            f"CASHIER: {words.sample(rng).upper()}",
            f"TABLE {rng.randint(1, 60)}",
        )
    )


def receipt(rng: random.Random, words: WordList) -> str:
    """Return a line of a receipt, invoice or letterhead."""
    kinds: tuple[tuple[Callable[[], str], float], ...] = (
        (lambda: _goods(rng, words), 0.24),
        (lambda: _labelled(rng, words), 0.20),
        (lambda: f"{cased(rng, words.some(rng, 1, 3))} {rng.choice(phrases.FIRMS)}", 0.08),
        (lambda: _address(rng, words), 0.12),
        (lambda: _row(rng, words), 0.12),
        (lambda: rng.choice((amount, amount, date, item, number))(rng), 0.10),
        (lambda: cased(rng, rng.choice(phrases.PHRASES)), 0.06),
        (lambda: _contact(rng, words), 0.08),
    )
    return rng.choices([kind for kind, _ in kinds], [share for _, share in kinds])[0]()


def field(rng: random.Random, words: WordList) -> str:
    """Return an amount, date or code: texts that must be right to the digit."""
    return rng.choice(
        (
            amount,
            amount,
            amount,
            date,
            date,
            number,
            item,
            lambda r: code(r, words),
            lambda r: code(r, words),
            capitals,
            lambda r: _labelled(r, words),
        )
    )(rng)
