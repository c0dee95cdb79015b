"""Texts of the kinds that the recogniser reads worst: accents, formulas, terms, dashes, boxes."""

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from model.training import phrases
from model.training.confusable_texts import narrow, symbols
from model.training.field_texts import amount, digits, item, number
from model.training.formula_texts import formula, greek
from model.training.printing import Printing
from model.training.receipt_texts import receipt
from model.training.word_list import WordList

_HIGH_SHARE = 0.06  # of the usual lines: crops much higher than their letters
_DASHES = ("-", "--", "–", "—", "——", "---", "~")
_BRACKETS = (
    "（）", "()", "[]", "【】", "《》", "〈〉", "「」", "『』", "〔〕", "{}", "<>", "“”", "‘’",
    "«»",
)  # fmt: skip
_ANSWERS = (
    ("是", "否"), ("有", "无"), ("男", "女"), ("同意", "不同意"), ("合格", "不合格"), ("Yes", "No"),
    ("YES", "NO"), ("True", "False"), ("已婚", "未婚"), ("现金", "转账"), ("Male", "Female"),
    ("Pass", "Fail"), ("一般纳税人", "小规模纳税人"), ("开", "关"), ("In", "Out"),
)  # fmt: skip


class WeakTexts:
    """Random texts of these kinds, each with the way of printing that it is rendered in."""

    def __init__(self, folder: Path) -> None:
        """Use the words that `prepare_terms` and `prepare_texts` wrote."""
        self._words = WordList(folder / "words.txt")
        self._terms = _lines(folder / "terms.txt")
        self._with: dict[str, list[str]] = defaultdict(list)
        for term in self._terms:
            for character in term:
                self._with[character].append(term)
        self._accented: dict[str, list[str]] = defaultdict(list)
        for line in _lines(folder / "accented.txt"):
            language, word = line.split(" ")
            self._accented[language].append(word)
        self._by_letter: dict[str, list[str]] = defaultdict(list)
        for words in self._accented.values():
            for word in words:
                for letter in {c for c in word if not c.isascii()}:
                    self._by_letter[letter].append(word)
        kinds: tuple[tuple[Callable[[random.Random], str], Printing, float], ...] = (
            (self._european, "", 0.17),
            (formula, "", 0.13),
            (lambda rng: greek(rng, self._words), "", 0.11),
            (self._chinese, "", 0.19),
            (self._dashes, "", 0.07),
            (self._boxes, "", 0.05),
            (lambda rng: symbols(rng, self._words), "", 0.04),
            (self._bracketed, "", 0.04),
            (lambda rng: narrow(rng, self._words), "", 0.03),
            (lambda rng: receipt(rng, self._words), "worn", 0.10),
            (lambda rng: rng.choice((amount, amount, item, number))(rng), "small", 0.07),
        )
        self._kinds = kinds

    def sample(self, rng: random.Random) -> tuple[str, Printing]:
        """Return a text and its way of printing."""
        make, style, _ = rng.choices(self._kinds, [share for _, _, share in self._kinds])[0]
        if not style and rng.random() < _HIGH_SHARE:
            style = "high"
        return make(rng), style

    def _european(self, rng: random.Random) -> str:
        """Return words of one language, with its accents; rare letters as often as common ones."""
        if rng.random() < 0.4:
            letter = rng.choice(list(self._by_letter))
            parts = [rng.choice(self._by_letter[letter]), self._words.sample(rng)]
            rng.shuffle(parts)
            return _cased(rng, " ".join(parts[: rng.randint(1, 2)]))
        words = self._accented[rng.choice(list(self._accented))]
        parts = [
            rng.choice(words) if rng.random() < 0.7 else self._words.sample(rng)
            for _ in range(rng.randint(1, 6))
        ]
        line = _cased(rng, " ".join(parts))
        if rng.random() < 0.25:
            line += rng.choice((".", ",", "!", "?", f" {number(rng)}", f", {digits(rng, 5)}"))
        return line

    def _chinese(self, rng: random.Random) -> str:
        """Return words with look-alikes: of one group, of any, or with characters exchanged."""
        group = rng.choice(phrases.CONFUSABLE_HANZI)
        character = rng.choice(group)
        known = self._with.get(character) or self._terms
        style = rng.random()
        if style < 0.15:
            return "".join(
                rng.choices(
                    "".join(rng.choices(phrases.CONFUSABLE_HANZI, k=3)), k=rng.randint(2, 9)
                )
            )
        parts = [rng.choice(known)]
        if style < 0.35:
            other = rng.choice(group)
            parts.append(rng.choice(self._with.get(other) or self._terms))
        parts += rng.choices(self._terms, k=rng.randint(0, 4))
        rng.shuffle(parts)
        return rng.choice(("", "", "", "、", "，", " ", "的", "和")).join(parts)[:28]

    def _dashes(self, rng: random.Random) -> str:
        """Return dashes of one kind as they occur: options, ranges, pauses."""
        words, dash = self._words, rng.choice(_DASHES)
        term, other = rng.choice(self._terms), rng.choice(self._terms)
        name = words.sample(rng)
        return rng.choice((
            f"--{name}", f"--{name}={rng.randint(0, 99)}",
            f"{name} --{words.sample(rng)} -{name[0]}",
            f"{name} -- {words.sample(rng)}", f"--{name}-{words.sample(rng)} {words.sample(rng)}",
            f"{name}{dash}{words.sample(rng)}", f"{term}{dash}{other}", f"{term}——{other}",
            f"{rng.randint(1900, 2050)}{dash}{rng.randint(1900, 2050)}", f"{dash} {name} {dash}",
            f"{digits(rng, 3)}{dash}{digits(rng, 4)}", f"{dash}{amount(rng)}", f"{dash} {term}",
            f"{name} {dash} {words.some(rng, 1, 2)}",
            f"第{rng.randint(1, 50)}{dash}{rng.randint(51, 99)}页",
            dash * rng.randint(1, 5),
        ))  # fmt: skip

    def _boxes(self, rng: random.Random) -> str:
        """Return answers with boxes, ticked or not."""
        answers = rng.choice(_ANSWERS)
        gap, between = rng.choice(("", "", " ")), rng.choice((" ", " ", "", "  "))
        marks = (
            rng.choices("☐☑☒", (3, 3, 2), k=2) if rng.random() < 0.8 else rng.choices("□■✓✗√×", k=2)
        )
        parts = (f"{mark}{gap}{answer}" for mark, answer in zip(marks, answers, strict=True))
        line = between.join(parts)
        return (
            rng.choice(phrases.CHINESE_LABELS) + rng.choice("：: ") + line
            if rng.random() < 0.3
            else line
        )

    def _bracketed(self, rng: random.Random) -> str:
        """Return text in pairs of brackets, which have one width."""
        pair = rng.choice(_BRACKETS)
        inside = rng.choice((
            rng.choice(self._terms), self._words.some(rng, 1, 2), digits(rng, rng.randint(1, 4)),
            amount(rng),
        ))  # fmt: skip
        before, after = (
            rng.choice(("", rng.choice(self._terms), self._words.sample(rng))) for _ in range(2)
        )
        return f"{before}{pair[0]}{inside}{pair[1]}{after}"


def _lines(path: Path) -> Sequence[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _cased(rng: random.Random, text: str) -> str:
    style = rng.random()
    if style < 0.28:
        return text.upper()
    return text.title() if style < 0.5 else text
