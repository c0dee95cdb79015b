"""The format of API keys."""

import string

from hypothesis import example, given
from hypothesis import strategies as st

from middleware.key_format import ALPHABET, FORMAT, key_id_of, new_key, new_key_id

ids = st.text(string.ascii_lowercase + string.digits, min_size=4, max_size=16)


@given(ids)
def test_a_new_key_has_its_id_and_format(key_id: str) -> None:
    """For every valid id."""
    key = new_key(key_id)
    assert key_id_of(key) == key_id
    assert FORMAT.fullmatch(key)
    assert key.startswith(f"ocr_{key_id}_")


@given(ids, st.data())
def test_one_wrong_character_is_detected(key_id: str, data: st.DataObject) -> None:
    """The CRC detects every error of one character."""
    key = new_key(key_id)
    place = data.draw(st.integers(0, len(key) - 1))
    other = data.draw(st.sampled_from(ALPHABET).filter(lambda c: c != key[place]))
    assert key_id_of(key[:place] + other + key[place + 1 :]) is None


@given(ids, st.data())
def test_a_truncated_key_is_invalid(key_id: str, data: st.DataObject) -> None:
    """At any length."""
    key = new_key(key_id)
    assert key_id_of(key[: data.draw(st.integers(0, len(key) - 1))]) is None


@given(st.text())
@example("")
@example("ocr_aaaa_" + "0" * 43 + "_000000\n")
@example("ocr_aaaa_" + "٣" * 43 + "_000000")
def test_any_other_text_is_invalid(text: str) -> None:
    """And no error is raised."""
    assert key_id_of(text) is None


def test_keys_and_ids_do_not_repeat() -> None:
    """256 random bits, and an id of eight random characters."""
    assert len({new_key("aaaa") for _ in range(1000)}) == 1000
    assert len({new_key_id() for _ in range(1000)}) == 1000


def test_the_secret_uses_every_digit() -> None:
    """So no bits are lost in the encoding."""
    assert {c for _ in range(100) for c in new_key("aaaa").split("_")[2]} == set(ALPHABET)
