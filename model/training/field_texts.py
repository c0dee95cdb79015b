"""The fields of receipts, invoices and forms: amounts, dates, codes, numbers, items.

Unlike `model.training.forms`, which the held-out sets use, this needs no package: it runs where
lines are rendered for training.
"""

import random

from model.training import phrases
from model.training.word_list import WordList

_NUMERALS = "壹贰叁肆伍陆柒捌玖"


def digits(rng: random.Random, count: int) -> str:
    """Return digits; every fifth time many of them are the same."""
    pool = (
        "0123456789"
        if rng.random() < 0.8
        else rng.choice("0123456789") * 6 + rng.choice("0123456789") * 3 + "0123456789"
    )
    return "".join(rng.choices(pool, k=count))


def cased(rng: random.Random, text: str) -> str:
    """Return a text in capitals, mostly, as tills print."""
    style = rng.random()
    if style < 0.55:
        return text.upper()
    if style < 0.72:
        return text.title()
    return text[:1].upper() + text[1:] if style < 0.88 else text


def amount(rng: random.Random) -> str:
    """Return money."""
    largest = rng.choice((10, 100, 100, 1_000, 20_000, 1_000_000))
    value = rng.uniform(0, largest)
    if rng.random() < 0.25:
        value = float(digits(rng, rng.randint(1, 6))) / rng.choice((1, 10, 100))
    body = f"{value:,.2f}" if rng.random() < 0.6 else f"{value:.2f}"
    style = rng.random()
    if style < 0.05:
        body = body.replace(",", " ").replace(".", ",")
    elif style < 0.08:
        body = f"{value:,.3f}"
    if rng.random() < 0.4:
        body = rng.choice(phrases.CURRENCIES) + body
    dressed = (
        "{}",
        "{}",
        "{}",
        "{}",
        "-{}",
        "({})",
        "*{}",
        "{} SR",
        "{}S",
        "{}元",
        "{}-",
        "{} T",
        "+{}",
    )
    return rng.choice(dressed).format(body)


def date(rng: random.Random) -> str:
    """Return a date, a time, or both."""
    day, month, year = rng.randint(1, 31), rng.randint(1, 12), rng.randint(1950, 2039)
    name = rng.choice(phrases.MONTHS)
    days = (
        f"{day:02}/{month:02}/{year}",
        f"{day:02}-{month:02}-{year}",
        f"{year}-{month:02}-{day:02}",
        f"{day}/{month}/{year % 100:02}",
        f"{day:02}.{month:02}.{year}",
        f"{year}.{month:02}.{day:02}",
        f"{day} {name} {year}",
        f"{name.upper()} {day}, {year}",
        f"{year}年{month}月{day}日",
        f"{year}年{month:02}月{day:02}日",
        f"{year}/{month:02}/{day:02}",
        f"{day:02}-{name}-{year}",
    )
    hour, minute, second = rng.randint(0, 23), rng.randint(0, 59), rng.randint(0, 59)
    times = (
        f"{hour:02}:{minute:02}",
        f"{hour:02}:{minute:02}:{second:02}",
        f"{hour % 12 + 1}:{minute:02} {rng.choice(('AM', 'PM', 'am', 'pm'))}",
        f"{hour % 12 + 1:02}:{minute:02}:{second:02} {rng.choice(('AM', 'PM'))}",
    )
    one, other = rng.choice(days), rng.choice(times)
    return rng.choice((one, one, other, f"{one} {other}", f"{one}  {other}"))


def code(rng: random.Random, words: WordList) -> str:
    """Return an identifier: invoice, card, ID, phone, bar code, tax number, web address."""
    letters = "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=rng.randint(1, 4)))
    card = digits(rng, 16)
    joint, place = rng.choice(("", "-", words.sample(rng))), rng.choice(phrases.DOMAINS)
    site = f"{words.sample(rng)}{joint}.{place}".lower()
    return rng.choice(
        (
            digits(rng, rng.randint(4, 20)),
            letters + digits(rng, rng.randint(3, 10)),
            f"{letters}-{digits(rng, rng.randint(3, 8))}",
            f"{digits(rng, 6)}{rng.randint(1940, 2020)}{digits(rng, 7)}X",
            " ".join(card[i : i + 4] for i in range(0, 16, 4)),
            f"{card[:4]} **** **** {card[-4:]}",
            f"XXXXXXXXXXXX{card[:4]}",
            f"+{rng.randint(1, 99)} {digits(rng, 9)}",
            f"1{rng.randint(3, 9)}{digits(rng, 9)}",
            f"0{digits(rng, 2)}-{digits(rng, 8)}",
            f"({digits(rng, 3)}) {digits(rng, 3)}-{digits(rng, 4)}",
            f"{digits(rng, 2)}-{digits(rng, 7)}",
            f"({digits(rng, 6)}-{letters[0]})",
            f"GST ID: {digits(rng, 12)}",
            f"91{digits(rng, 6)}MA{''.join(rng.choices('0123456789ABCDEFGHJKLMNPQRTUWXY', k=8))}",
            f"www.{site}",
            f"http://www.{site}",
            f"{words.sample(rng)}@{site}".lower(),
            f"#{digits(rng, 2)}-{digits(rng, 2)}",
            "".join(rng.choices("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=rng.randint(4, 12))),
            "".join(rng.choices("0123456789abcdef", k=rng.randint(6, 16))),
        )
    )


def number(rng: random.Random) -> str:
    """Return a plain number, with or without decimals, sign and unit."""
    form = rng.random()
    if form < 0.35:
        return digits(rng, rng.randint(1, 6)).lstrip("0") or "0"
    if form < 0.7:
        return f"{rng.randint(0, 9999)}.{digits(rng, rng.randint(1, 3))}"
    if form < 0.78:
        return f"{int(digits(rng, rng.randint(4, 9))):,}"
    units = (
        "%",
        "kg",
        "g",
        "ml",
        "L",
        "mm",
        "cm",
        "m",
        "℃",
        "°C",
        "pcs",
        "PCS",
        "X",
        "x",
        "GB",
        "元",
        "个",
        "㎡",
    )
    return f"{rng.randint(0, 999)}{rng.choice(units)}"


def item(rng: random.Random) -> str:
    """Return a line of an invoice or receipt: quantity, price, sum."""
    count, price = rng.randint(1, 20), rng.uniform(0.1, 300)
    return rng.choice(
        (
            f"{count} X {price:.2f}",
            f"{count}x {price:.2f} {count * price:.2f}",
            f"{count} @ RM {price:.2f}",
            f"{count} {price:.2f} {count * price:,.2f}",
            f"{price:.2f} * {count} = {count * price:.2f}",
            f"{count:.3f} KG @ {price:.2f}/KG",
            f"{price:.2f}  {count}  {price * count:.2f} T",
            f"{count} {price:.2f} 0.00 {count * price:.2f} SR",
            f"{count}.00 {rng.choice(phrases.UNITS)} {price:.2f} {count * price:.2f}",
        )
    )


def capitals(rng: random.Random) -> str:
    """Return an amount in the capital numerals of Chinese invoices."""
    units = ("仟", "佰", "拾", "万", "元", "角", "分")[rng.randint(0, 4) :]
    return "".join(rng.choice(_NUMERALS) + unit for unit in units) + rng.choice(("整", "圆整", ""))
