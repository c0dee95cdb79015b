"""API keys: made, recognised, and told from mistyped ones."""

import string

from hypothesis import example, given
from hypothesis import strategies as st

from middleware.key_format import ALPHABET, SHAPE, key_id_of, new_key, new_key_id

ids = st.text(string.ascii_lowercase + string.digits, min_size=4, max_size=16)


@given(ids)
def test_a_new_key_names_its_id(key_id: str) -> None:
    """Whatever the id, the key made for it gives it back and has the documented shape."""
    token = new_key(key_id)
    assert key_id_of(token) == key_id
    assert SHAPE.fullmatch(token)
    assert token.startswith(f"ocr_{key_id}_")


@given(ids, st.data())
def test_one_wrong_character_is_noticed(key_id: str, data: st.DataObject) -> None:
    """A CRC of 32 bits finds every error of one character."""
    token = new_key(key_id)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from(ALPHABET).filter(lambda c: c != token[place]))
    assert key_id_of(token[:place] + other + token[place + 1 :]) is None


@given(ids, st.data())
def test_a_piece_of_a_key_is_none(key_id: str, data: st.DataObject) -> None:
    """A key that was cut off anywhere is no key."""
    token = new_key(key_id)
    assert key_id_of(token[: data.draw(st.integers(0, len(token) - 1))]) is None


@given(st.text())
@example("")
@example("ocr_aaaa_" + "0" * 43 + "_000000\n")
@example("ocr_aaaa_" + "٣" * 43 + "_000000")
def test_nothing_else_is_a_key(text: str) -> None:
    """Any other text is told from a key without an error."""
    assert key_id_of(text) is None


def test_keys_and_ids_do_not_repeat() -> None:
    """256 random bits, and an id of eight random characters."""
    assert len({new_key("aaaa") for _ in range(1000)}) == 1000
    assert len({new_key_id() for _ in range(1000)}) == 1000


def test_the_secret_uses_every_digit() -> None:
    """The whole alphabet occurs: no bits are lost in writing the secret down."""
    assert {c for _ in range(100) for c in new_key("aaaa").split("_")[2]} == set(ALPHABET)
