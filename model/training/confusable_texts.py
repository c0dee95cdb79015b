"""Texts that recognisers get wrong: look-alikes, repeated and narrow characters, symbols."""

import random

from model.training import phrases
from model.training.field_texts import cased, digits
from model.training.word_list import WordList

_FRACTIONS, _MEASURES = "½¼¾⅓⅔⅕⅛⅜⅝⅞", ("cup", "in", "英寸", "")


def look_alikes(rng: random.Random, _: WordList) -> str:
    """Return random look-alikes, punctuation of both widths, and letters in both cases."""
    parts = [rng.choice(rng.choice(phrases.LOOK_ALIKES)) for _ in range(rng.randint(1, 12))]
    return "".join(part + (" " if rng.random() < 0.06 else "") for part in parts)


def narrow(rng: random.Random, words: WordList) -> str:
    """Return a text that often loses a character: equal or narrow neighbours."""
    doubled = rng.choice(phrases.REPEATED) * rng.choice((2, 2, 2, 3, 3, 4, 6))
    ones = digits(rng, 1) * rng.randint(2, 4)
    text = rng.choice(
        (
            rng.choice(phrases.ROMAN_NUMERALS),
            f"{rng.choice(phrases.ROMAN_NUMERALS)}. {words.sample(rng).title()}",
            f"Chapter {rng.choice(phrases.ROMAN_NUMERALS)}",
            doubled,
            f"www.{words.sample(rng)}.com",
            f"{ones[:2]},{ones[:3].ljust(3, '1')}.{digits(rng, 2)}",
            f"{rng.randint(1900, 2099)}",
            f"{ones}{digits(rng, 2)}{ones}",
            f"{words.sample(rng)}{doubled}{words.sample(rng)}",
            f"{rng.randint(1, 11)},{digits(rng, 3)}",
            "".join(rng.choices("il1I|.,:;'!tfjr", k=rng.randint(2, 8))),
            "".join(rng.choices("一二三亖十工王丨川", k=rng.randint(2, 6))),
            "".join(rng.choices("mwnuvWMNHU", k=rng.randint(2, 7))),
            f"{rng.uniform(0, 2):.2f}",
            f"-{rng.uniform(0, 99):.2f}",
        )
    )
    return text.replace("亖", "三").replace("丨", "一")


def symbols(rng: random.Random, words: WordList) -> str:
    """Return boxes and ticks, units, indices, fractions, circled numbers or pinyin."""
    mark, box = rng.choice(phrases.SYMBOLS), rng.choice("☐☑☒□■✓✗√×")
    label = rng.choice(phrases.CHINESE_LABELS)
    return rng.choice(
        (
            f"{box}是 {rng.choice('☐☑☒□')}否",
            f"{box}{label}",
            f"{box} {cased(rng, words.some(rng, 1, 2))}",
            f"{label}：{box}",
            f"{box}男 {rng.choice('☐☑☒□')}女",
            rng.choice(phrases.FORMULAE),
            f"{rng.choice(phrases.FORMULAE)} {rng.choice(phrases.FORMULAE)}",
            rng.choice(phrases.PINYIN),
            " ".join(rng.choices(phrases.PINYIN, k=rng.randint(1, 3))),
            f"{rng.choice('①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳')}{label}",
            f"{mark}{label}",
            f"{rng.randint(1, 999)}{mark}",
            f"{words.sample(rng)}{mark}",
            f"{mark} {rng.randint(1, 99)}",
            mark * rng.randint(1, 2),
            "".join(rng.choices(phrases.SYMBOLS, k=rng.randint(2, 5))),
            f"№ {digits(rng, 6)}",
            f"№{digits(rng, 4)}",
            f"{rng.randint(10, 200)}㎡",
            f"{rng.randint(1, 9)}{rng.choice(_FRACTIONS)} {rng.choice(_MEASURES)}",
            f"（{rng.choice('ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩ')}）{label}",
            f"{rng.choice('㈠㈡㈢㈣㈤㈥㈦㈧㈨㈩⑴⑵⑶⑷⑸')}{label}{rng.choice(phrases.CHINESE_LABELS)}",
        )
    )
