"""Numbers, dates, codes, names and addresses as in English and Chinese documents."""

import random
from collections.abc import Callable
from functools import cache

from faker import Faker

from model.training import phrases

_LOCALES = ("en_US", "en_GB", "fr_FR", "de_DE", "es_ES", "pt_PT", "pl_PL", "cs_CZ", "sv_SE")
_LABELS = (
    "TOTAL", "SUBTOTAL", "Total", "CASH", "CHANGE", "TAX", "GST", "VAT", "QTY", "AMOUNT",
    "Amount Due", "INVOICE NO", "Invoice No.", "DATE", "TIME", "TEL", "FAX", "Balance", "Rounding",
    "Discount", "GST 6%", "TOTAL (RM)", "Total Sales", "RECEIPT #", "CASHIER", "TABLE", "Card No",
    "REF", "No.", "DOC NO.", "BILL NO", "Item", "UNIT PRICE", "NET", "Page", "SR", "ZRL",
)  # fmt: skip
_CAPITALS = "零壹贰叁肆伍陆柒捌玖"


@cache
def _faker(locale: str) -> Faker:
    return Faker(locale)


def _seeded(rng: random.Random, locale: str) -> Faker:
    fake = _faker(locale)
    fake.seed_instance(rng.getrandbits(32))
    return fake


def digits(rng: random.Random, count: int) -> str:
    """Return random digits."""
    return "".join(rng.choices("0123456789", k=count))


def number(rng: random.Random) -> str:
    """Return a plain number, with or without decimals, sign and unit."""
    form = rng.random()
    if form < 0.4:
        return digits(rng, rng.randint(1, 6)).lstrip("0") or "0"
    if form < 0.75:
        return f"{rng.randint(0, 9999)}.{digits(rng, rng.randint(1, 3))}"
    units = (
        "%", "kg", "g", "ml", "L", "mm", "cm", "m", "℃", "°C", "pcs", "PCS", "X", "x", "GB", "元",
        "个",
    )  # fmt: skip
    return f"{rng.randint(0, 999)}{rng.choice(units)}"


def amount(rng: random.Random) -> str:
    """Return an amount of money."""
    value = rng.choice((rng.uniform(0, 99), rng.uniform(0, 999), rng.uniform(0, 999_999)))
    body = f"{value:,.2f}" if rng.random() < 0.6 else f"{value:.2f}"
    if rng.random() < 0.08:
        body = body.replace(",", " ").replace(".", ",")
    body = rng.choice(phrases.CURRENCIES) + body if rng.random() < 0.5 else body
    return rng.choice(
        ("{}", "{}", "{}", "-{}", "({})", "*{}", "{} SR", "{}S", "{}元", "{}-")
    ).format(body)


def date(rng: random.Random) -> str:
    """Return a date, a time, or both."""
    day, month, year = rng.randint(1, 31), rng.randint(1, 12), rng.randint(1950, 2039)
    forms = (
        f"{day:02}/{month:02}/{year}", f"{day:02}-{month:02}-{year}", f"{year}-{month:02}-{day:02}",
        f"{day}/{month}/{year % 100:02}", f"{day:02}.{month:02}.{year}",
        f"{year}.{month:02}.{day:02}", f"{day} {phrases.MONTHS[month - 1]} {year}",
        f"{phrases.MONTHS[month - 1].upper()} {day}, {year}", f"{year}年{month}月{day}日",
        f"{year}年{month:02}月{day:02}日", f"{year}/{month:02}/{day:02}",
    )  # fmt: skip
    hour, minute, second = rng.randint(0, 23), rng.randint(0, 59), rng.randint(0, 59)
    times = (
        f"{hour:02}:{minute:02}", f"{hour:02}:{minute:02}:{second:02}",
        f"{hour % 12 + 1}:{minute:02} {rng.choice(('AM', 'PM', 'am', 'pm'))}",
        f"{hour % 12 + 1:02}:{minute:02}:{second:02} {rng.choice(('AM', 'PM'))}",
    )  # fmt: skip
    day_text, time_text = rng.choice(forms), rng.choice(times)
    return rng.choice((day_text, day_text, time_text, f"{day_text} {time_text}"))


def code(rng: random.Random) -> str:
    """Return an identifier: invoice, card, ID, phone, bar code, tax number, web address."""
    letters = "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=rng.randint(1, 4)))
    card = digits(rng, 16)
    stars = f"{card[:4]} **** **** {card[-4:]}"
    return rng.choice((
        digits(rng, rng.randint(6, 20)), letters + digits(rng, rng.randint(3, 10)),
        f"{letters}-{digits(rng, rng.randint(3, 8))}",
        f"{digits(rng, 6)}{rng.randint(1940, 2020)}{digits(rng, 7)}X",
        " ".join(card[i : i + 4] for i in range(0, 16, 4)), stars,
        f"+{rng.randint(1, 99)} {digits(rng, 9)}",
        f"1{rng.randint(3, 9)}{digits(rng, 9)}", f"0{digits(rng, 2)}-{digits(rng, 8)}",
        f"({digits(rng, 3)}) {digits(rng, 3)}-{digits(rng, 4)}",
        f"{digits(rng, 2)}-{digits(rng, 7)}",
        f"(CO. REG. NO. {digits(rng, 6)}-{letters[0]})", f"GST ID: {digits(rng, 12)}",
        f"91{digits(rng, 6)}MA{''.join(rng.choices('0123456789ABCDEFGHJKLMNPQRTUWXY', k=8))}",
        f"www.{_seeded(rng, 'en_US').domain_name()}", _seeded(rng, "en_US").email(),
        _seeded(rng, "en_GB").iban(),
    ))  # fmt: skip


def western(rng: random.Random) -> str:
    """Return a name, company, street or town in Latin letters."""
    fake = _seeded(rng, rng.choice(_LOCALES))
    made = (
        fake.name, fake.company, fake.street_address, fake.city, fake.country, fake.postcode,
        fake.address,
    )  # fmt: skip
    text = " ".join(rng.choice(made)().split("\n"))[:60]
    return text.upper() if rng.random() < 0.45 else text


def eastern(rng: random.Random) -> str:
    """Return a name, company or address in Chinese."""
    fake = _seeded(rng, rng.choice(("zh_CN", "zh_CN", "zh_TW")))
    return str(rng.choice((fake.name, fake.company, fake.address, fake.job))())


def labelled(rng: random.Random) -> str:
    """Return the name of a field with its value, like on receipts and forms."""
    if rng.random() < 0.6:
        label = rng.choice(_LABELS)
        separator = rng.choice((":", " :", ": ", " : ", " ", "  ", ".", ""))
    else:
        label = rng.choice(phrases.CHINESE_FIELDS)
        separator = rng.choice(("：", ":", " ", "", "： "))
    return label + separator + rng.choice((amount, date, code, number))(rng)


def item(rng: random.Random) -> str:
    """Return a line of an invoice or receipt: quantity, price, sum."""
    count, price = rng.randint(1, 20), rng.uniform(0.1, 300)
    return rng.choice((
        f"{count} X {price:.2f}", f"{count}x {price:.2f} {count * price:.2f}",
        f"{count} @ RM {price:.2f}",
        f"{count} {price:.2f} {count * price:,.2f}", f"{price:.2f} * {count} = {count * price:.2f}",
        f"{count:.3f} KG @ {price:.2f}/KG", f"{price:.2f}  {count}  {price * count:.2f} T",
    ))  # fmt: skip


def capitals(rng: random.Random) -> str:
    """Return an amount in the capital numerals of Chinese invoices."""
    units = ("仟", "佰", "拾", "万", "元", "角", "分")
    picked = units[rng.randint(0, 4) :]
    tail = rng.choice(("整", "圆整", ""))
    return "".join(rng.choice(_CAPITALS[1:]) + unit for unit in picked) + tail


_SHARES: tuple[tuple[Callable[[random.Random], str], float], ...] = (
    (amount, 0.2), (date, 0.16), (code, 0.14), (number, 0.08), (western, 0.16), (eastern, 0.06),
    (labelled, 0.13), (item, 0.05), (capitals, 0.02),
)  # fmt: skip


def generate(rng: random.Random) -> str:
    """Return a text of one of these forms."""
    return rng.choices([form for form, _ in _SHARES], [share for _, share in _SHARES])[0](rng)
