"""[[keys]] entries that cannot take effect as they are meant are refused, with what to write."""

import pytest

from tests.settings.conftest import KEY, MINIMAL, Load, Refuse

OTHERS = """
[[functions]]
path = "/other"
handler = "handlers.ocr:recognize"
scope = "other"

[[functions]]
path = "/healthz"
handler = "handlers.health:healthz"
scope = "public"
"""
DIGEST = "1" * 64
PREVIOUS = f'previous_sha256 = "{DIGEST}"\nprevious_expires = 2027-01-01\n'


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            'functions = ["/orc"]',
            "functions has '/orc', which is not the path of a function; those",
        ),
        ('functions = ["/orc"]', "those that need a key are: /ocr, /other"),
        (
            'functions = ["/other"]',
            "which needs the scope 'other'; add it to scopes, or remove the",
        ),
        ('functions = ["/healthz"]', "which needs no key; remove it"),
        ('functions = "/ocr"', 'is not a list; write ["/ocr"]'),
        ('networks = ["10.1.2.3/16"]', "has host bits set; did you mean '10.1.0.0/16'?"),
        (
            'networks = ["::ffff:10.0.0.0/104"]',
            "IPv4 addresses in an IPv6 form; write '10.0.0.0/8'",
        ),
        ('networks = ["anywhere"]', "'anywhere' is not a network such as \"10.0.0.0/8\""),
        ("pages_per_day = 9\npages_per_month = 8", "pages_per_day (9) could never be reached with"),
        ("pages_per_day = 900", "could never be reached with pages_per_month = 700"),
        ("pages_per_month = -1", "-1 is too small: at least 0"),
        ("concurrent = 1.5", "is not a whole number"),
        (f'previous_sha256 = "{DIGEST}"', "previous_sha256 and previous_expires belong together"),
        ("previous_expires = 2027-01-01", "previous_sha256 and previous_expires belong together"),
        (PREVIOUS.replace(DIGEST, "0" * 64), "previous_sha256 is the same as sha256"),
    ],
)
def test_an_entry_without_its_effect_is_refused(more: str, said: str, refuse: Refuse) -> None:
    """The message names the file, the entry and what to write."""
    message = refuse("[limits]\npages_per_month = 700\n" + KEY + more, main=MINIMAL + OTHERS)
    assert said in message
    assert message.removeprefix("settings.toml, ").startswith("settings.toml: [[keys]] aaaa")


def test_the_defaults_of_a_month_are_checked(refuse: Refuse, load: Load) -> None:
    """They are those of every key without quotas of its own; 0 is no quota."""
    message = refuse("[limits]\npages_per_day = 9\npages_per_month = 8\n")
    assert message.startswith("settings.toml, settings.toml: [limits]: pages_per_day (9)")
    assert load("[limits]\npages_per_day = 9\npages_per_month = 0\n").limits.pages_per_day == 9


def test_an_entry_may_have_all_of_it(load: Load) -> None:
    """Functions of its scopes, networks of both kinds, quotas, a previous key."""
    more = (
        'functions = ["/ocr"]\nnetworks = ["10.1.0.0/16", "2001:db8::/32", "192.0.2.7"]\n'
        f"concurrent = 2\npages_per_day = 10\npages_per_month = 10\n{PREVIOUS}"
    )
    [key] = load(KEY + more, main=MINIMAL + OTHERS).keys
    assert (key.functions, len(key.networks), key.previous_sha256) == (("/ocr",), 3, DIGEST)
