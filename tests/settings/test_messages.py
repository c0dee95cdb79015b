"""Where a mistake is, and that every message is in the project's own words."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from settings.kinds import AUTO, bare
from settings.loading import Examination, examine
from settings.schema import Settings
from settings.server import Server
from settings.suggestions import IDENTITY, table_class
from tests.settings.conftest import KEY, MINIMAL, Load, Refuse

FOREIGN = re.compile(
    r"Input should|should be|should have|should match|Value error|is not valid$|pydantic|"
    r"validation error|\bint\b|\bstr\b|\bbool\b|\bdict\b|Errno|Expecting",
    re.MULTILINE,
)
WRONG: tuple[Any, ...] = (
    "",
    "x y",
    "30",
    0,
    1,
    10**12,
    -1,
    0.5,
    True,
    False,
    [],
    ["é"],
    [1],
    {"a": 1},
)
EVEN_MORE = (float("inf"), float("nan"), None)  # TOML has no null, JSON has


def _fields() -> Iterator[tuple[str, str, Any]]:
    for table in Settings.tables():
        for key, field in table_class(table).model_fields.items():
            yield table, key, bare(field.annotation)


NUMBERS = [(table, key) for table, key, kind in _fields() if kind in {int, float} or kind == AUTO]
BOOLEANS = [(table, key) for table, key, kind in _fields() if kind is bool]
TABLES = [each for each in Settings.tables() if each not in IDENTITY]


def _with(table: str, key: str, *, value: object, tmp_path: Path) -> Examination:
    """Examine settings in which one key has this value; lists of tables get one more entry."""
    path = tmp_path / "settings.toml"
    path.write_text(MINIMAL, encoding="utf-8")
    entry: dict[str, dict[str, object]] = {
        "keys": {"id": "aaaa", "name": "x", "sha256": "0" * 64, "scopes": ["ocr"]},
        "functions": {"path": "/x", "handler": "a:b", "scope": "ocr"},
    }
    held: object = {key: value}
    if table in IDENTITY:
        held = [{**entry[table], key: value}]
    return examine(path, {f"OCR_{table.upper()}": json.dumps(held)})


@pytest.mark.parametrize("table", Settings.tables())
def test_every_message_is_in_our_words(table: str, tmp_path: Path) -> None:
    """Whatever is written for a key: no words of a library, and the key is named."""
    refused = 0
    for key in table_class(table).model_fields:
        for value in (*WRONG, *EVEN_MORE):
            for said in _with(table, key, value=value, tmp_path=tmp_path).mistakes:
                refused += 1
                assert not FOREIGN.search(said), said
                assert table in said
    assert refused > 5


def test_every_message_of_the_top_level_is_in_our_words(tmp_path: Path) -> None:
    """The same for Hypercorn's keys, which a file alone can set."""
    path = tmp_path / "settings.toml"
    main = MINIMAL.partition("[[")[2]
    for key in Server.model_fields:
        for value in WRONG:
            written = (
                {True: "true", False: "false"}.get(value, json.dumps(value))
                if isinstance(value, bool)
                else json.dumps(value).replace('{"a": 1}', "{a = 1}")
            )
            top = "" if key == "include_server_header" else "include_server_header = false"
            path.write_text(f"{key} = {written}\n{top}\n[[{main}", encoding="utf-8")
            for said in examine(path, {}).mistakes:
                assert not FOREIGN.search(said), said


def test_foreign_words_would_be_found() -> None:
    """Negative control: pydantic's own messages."""
    for said in ("Input should be a valid integer", "String should match pattern '^a$'"):
        assert FOREIGN.search(said)


@pytest.mark.parametrize(("table", "key"), NUMBERS)
def test_a_boolean_is_not_a_number(table: str, key: str, refuse: Refuse, tmp_path: Path) -> None:
    """In a file, a variable, a secret and in JSON: `max_pages = true` is not 1."""
    if table in IDENTITY:
        [said] = _with(table, key, value=True, tmp_path=tmp_path).mistakes
        assert f"{key}: true is not a" in said
        return
    said = f"[{table}] {key}: true is not a"
    assert said in refuse(f"[{table}]\n{key} = true")
    assert said.replace("true", '"true"') in refuse(env={f"OCR_{table}__{key}".upper(): "true"})
    assert said in refuse(env={f"OCR_{table}".upper(): json.dumps({key: True})})
    assert said.replace("true", '"true"') in refuse(secrets={f"{table}__{key}": "true\n"})


@pytest.mark.parametrize(("table", "key"), BOOLEANS)
@pytest.mark.parametrize("number", [0, 1])
def test_a_number_is_not_a_boolean(
    table: str, key: str, number: int, refuse: Refuse, tmp_path: Path
) -> None:
    """`warm = 1` is not true; nor is the text 1 in a variable or a secret."""
    if table in IDENTITY:
        [said] = _with(table, key, value=number, tmp_path=tmp_path).mistakes
        assert f"{key}: {number} is neither true nor false" in said
        return
    said = (
        f"[{table}] {key}: {number} is neither true nor false; write {'true' if number else 'fal'}"
    )
    assert said in refuse(f"[{table}]\n{key} = {number}")
    assert said in refuse(env={f"OCR_{table}".upper(): json.dumps({key: number})})
    quoted = f'[{table}] {key}: "{number}" is neither true nor false'
    assert quoted in refuse(env={f"OCR_{table}__{key}".upper(): str(number)})
    assert quoted in refuse(secrets={f"{table}__{key}": str(number)})


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        (KEY + 'limits = { "*" = 60 }', "[[keys]] aaaa limits *: 60 is not a string"),
        (KEY.replace('["ocr"]', "[true]"), "[[keys]] aaaa scopes (entry 1): true is not a string"),
        (KEY + "expires = 1800000000", "[[keys]] aaaa expires: 1800000000 is not a date; write"),
        (KEY + "expires = 'soon'", '[[keys]] aaaa expires: "soon" is not a date; write'),
        (
            "timeout_s = true",
            "[[functions]] /ocr timeout_s: true is not a number; write one such as",
        ),
        (
            "max_body_bytes = '9'",
            'max_body_bytes: "9" is a string, not a whole number; write 9, wi',
        ),
        ("limits = 'x'", '[[functions]] /ocr limits: is not a list; write ["x"]'),
        ("[engine]\nthreads = true", '[engine] threads: true is not a whole number or "auto"'),
        ("[limits]\nstorage = 7", "[limits] storage: the value is not a string"),
    ],
)
def test_types_inside_lists_and_tables_are_told_apart(
    tables: str, said: str, refuse: Refuse
) -> None:
    """Nothing is converted."""
    assert f"settings.toml: {said}" in refuse(tables).replace(": [[functions]] /ocr max", ": max")


def test_the_types_of_the_top_level(refuse: Refuse) -> None:
    """Hypercorn would fail on them with a traceback, or not at all."""
    quoted = refuse(top='graceful_timeout = "30"')
    assert quoted == (
        'settings.toml: graceful_timeout: "30" is a string, not a number; write 30, without quotes'
    )
    assert "workers: true is not a whole number" in refuse(top="workers = true")
    assert "include_date_header: 1 is neither" in refuse(top="include_date_header = 1")
    assert 'settings.toml: bind: is not a list; write ["..."]' in refuse(top="bind = 8443")


def test_texts_in_variables_and_secrets_have_their_types(load: Load) -> None:
    """A number, true and false, "auto" and JSON lists are written as in TOML."""
    settings = load(
        env={
            "OCR_MODEL__MAX_PAGES": "7",
            "OCR_ENGINE__WARM": "true",
            "OCR_ENGINE__THREADS": "auto",
            "OCR_ENGINE__IDLE_S": "1.5",
            "OCR_LIMITS": '{"per_key": "1/day", "per_address": "2/day"}',
            "OCR_LIMITS__PER_KEY": "3/day",
        },
        secrets={"proxy__trusted": '["127.0.0.0/8"]', "engine__decoders": "3\n"},
        tables=KEY,
    )
    assert (settings.model.max_pages, settings.engine.warm, settings.engine.threads) == (
        7,
        True,
        "auto",
    )
    assert (settings.engine.idle_s, settings.engine.decoders) == (1.5, 3)
    assert (settings.limits.per_key, settings.limits.per_address) == ("3/day", "2/day")
    assert settings.proxy.trusted == ("127.0.0.0/8",)


def test_a_list_in_a_variable_is_explained(refuse: Refuse) -> None:
    """Not as "JSON decode error"."""
    said = refuse(env={"OCR_PROXY__TRUSTED": "127.0.0.1"})
    assert said == 'OCR_PROXY__TRUSTED: [proxy] trusted: is not a list; write ["127.0.0.1"]'


LOCAL = """
# a comment
[limits]
per_key = "often"

[[keys]]
id = "bbbb"
name = "archive"
sha256 = "x"
scopes = [
  "ocr",
]
"""


def test_the_line_and_the_source_of_each_mistake(refuse_with_lines: Refuse) -> None:
    """That of the value in force, wherever else the key is set; the order is that of the tables."""
    said = refuse_with_lines(
        "[limits]\nper_key = '1/minute'\nper_address = 'rarely'\n[hsts]\nmax_age_s = -1\n",
        main=MINIMAL,
        local=LOCAL,
        env={"OCR_HSTS__MAX_AGE_S": "-2", "OCR_TLS__PROFILE": "old"},
        secrets={"engine__decoders": "0"},
    )
    assert {line.partition(": ")[0] for line in said.splitlines()} == {
        "settings.toml:14",
        "settings.local.toml:4",
        "settings.local.toml:9",
        "OCR_HSTS__MAX_AGE_S",
        "OCR_TLS__PROFILE",
        "secrets/engine__decoders",
    }


def test_an_entry_s_mistake_is_where_the_entry_s_key_is(refuse_with_lines: Refuse) -> None:
    """Not in the last source that mentions the entry; what is missing, where the entry begins."""
    local = '[[keys]]\nid = "aaaa"\nname = "x"\n'
    said = refuse_with_lines(KEY.replace("0" * 64, "abc"), local=local)
    assert said.startswith("settings.toml:16: [[keys]] aaaa sha256: is not a SHA-256")
    said = refuse_with_lines(KEY.replace('scopes = ["ocr"]', ""), local=local)
    assert said.startswith("settings.toml:13: [[keys]] aaaa scopes: is missing")
    said = refuse_with_lines(KEY + KEY.replace("accounting", "other"))
    assert said == "settings.toml:13, settings.toml:19: [[keys]] id 'aaaa' appears twice"


def test_an_entry_that_was_to_change_another_names_it(refuse_with_lines: Refuse) -> None:
    """A misspelled path makes an entry of its own, without a handler. Not where none is similar."""
    entry = '[[functions]]\npath = "{}"\nenabled = true\n'
    said = refuse_with_lines(local=entry.format("/orc"))
    assert "[[functions]] /orc handler: is missing; did you mean the path /ocr?" in said
    said = refuse_with_lines(local=entry.format("/documents"))
    assert said.splitlines()[0].endswith("[[functions]] /documents handler: is missing")


def test_values_that_conflict_are_all_located(refuse_with_lines: Refuse) -> None:
    """Wherever they come from."""
    said = refuse_with_lines(
        "[tls]\nclient_ca = 'ca.pem'\n", env={"OCR_TLS__CLIENT_CERTIFICATES": "off"}
    )
    assert said.startswith("settings.toml:13, OCR_TLS__CLIENT_CERTIFICATES: [tls]: client_ca and")


def test_a_broken_file_does_not_hide_the_other_sources(refuse: Refuse) -> None:
    """A syntax error ends the reading of its file alone, and nothing is said to be missing."""
    said = refuse(local="[tls", top="backlog = 0", env={"OCR_LIMIT__X": "1"}).splitlines()
    assert [line.partition(": ")[0] for line in said] == [
        "settings.local.toml",
        "OCR_LIMIT__X matches no table of settings.toml; did you mean OCR_LIMITS?",
        "settings.toml",
    ]
    [public] = refuse(local="[[keys", top='bind = "0.0.0.0:1"').splitlines()
    assert "settings.local.toml: not valid TOML" in public


def test_conflicts_are_reported_beside_other_mistakes(refuse: Refuse) -> None:
    """All at once: a wrong value in one table does not hide a conflict between others."""
    said = refuse("[hsts]\nmax_age_s = -1", top='workers = 2\nbind = "0.0.0.0:8443"').splitlines()
    assert len(said) == 3
    assert "max_age_s" in said[0]
    assert "workers = 2" in said[1]
    assert "scripts/keys new" in said[2]


def test_an_address_is_bound_once(refuse: Refuse) -> None:
    """The second one would fail after the start has begun."""
    said = refuse(top='bind = "127.0.0.1:8443"\ninsecure_bind = "127.0.0.1:8443"')
    assert "127.0.0.1:8443 appears twice in bind and insecure_bind" in said


def test_a_key_in_place_of_its_digest_is_not_shown(refuse: Refuse) -> None:
    """Whoever pastes the key itself does not find it in the log."""
    assert "hunter2" not in refuse(KEY.replace("0" * 64, "hunter2"))
