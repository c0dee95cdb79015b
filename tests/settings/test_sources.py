"""The four sources, their priority, and how they are merged."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settings import SettingsError
from settings.merging import merge
from settings.schema import Settings
from settings.server import UNSUPPORTED, Server
from settings.suggestions import bracketed, suggestion
from settings.toml_lines import Loc, key_lines
from tests.settings.conftest import KEY, MINIMAL, Load, Refuse

OTHER_KEY = KEY.replace('"aaaa"', '"bbbb"').replace("accounting", "archive")

names = st.sampled_from("abcd")
tables = st.dictionaries(
    st.sampled_from(["tls", "hsts", "limits"]), st.dictionaries(names, st.integers(), max_size=3)
)
entry = st.fixed_dictionaries({"id": names}, optional={"name": st.integers(0, 9)})
entries = st.lists(entry, max_size=4)


def _source(values: tuple[dict[str, Any], list[dict[str, Any]]]) -> dict[str, Any]:
    return {**values[0], "keys": values[1]}


sources = st.lists(st.tuples(tables, entries).map(_source), min_size=1, max_size=4)


@given(sources)
def test_tables_merge_key_by_key(given_sources: list[dict[str, Any]]) -> None:
    """Each key has the value of the last source that sets it."""
    merged = merge(given_sources)
    expected: dict[str, dict[str, int]] = {}
    for source in given_sources:
        for table, values in source.items():
            if table != "keys":
                expected.setdefault(table, {}).update(values)
    assert {table: values for table, values in merged.items() if table != "keys"} == expected


@given(st.lists(st.lists(entry, unique_by=lambda e: str(e["id"])), min_size=1, max_size=4))
def test_keys_merge_by_id(lists: list[list[dict[str, Any]]]) -> None:
    """An entry keeps its first position, and has each value of the last source that sets it."""
    expected: dict[str, dict[str, Any]] = {}
    for entries_of_one in lists:
        expected |= {one["id"]: expected.get(one["id"], {}) | one for one in entries_of_one}
    merged = merge([{"keys": entries_of_one} for entries_of_one in lists])
    assert merged["keys"] == list(expected.values())


@given(sources)
def test_duplicates_in_a_source_are_kept(given_sources: list[dict[str, Any]]) -> None:
    """An id that the last source has twice remains at least twice, for the schema to reject."""
    merged = [one["id"] for one in merge(given_sources)["keys"]]
    for key_id in set(merged):
        counts = [[e["id"] for e in s["keys"]].count(key_id) for s in given_sources]
        assert merged.count(key_id) >= [count for count in counts if count][-1]


@given(sources)
def test_an_empty_source_changes_nothing(given_sources: list[dict[str, Any]]) -> None:
    """It is the same as no source."""
    assert merge([*given_sources, {}]) == merge(given_sources)


@given(sources)
def test_merging_does_not_change_the_sources(given_sources: list[dict[str, Any]]) -> None:
    """They have the same values afterwards."""
    before = json.dumps(given_sources)
    merge(given_sources)
    assert json.dumps(given_sources) == before


def test_precedence(load: Load) -> None:
    """The environment overrides secrets, these the local file, and that the main file."""
    layers: dict[str, Any] = {
        "local": "[limits]\nper_key = '2/minute'",
        "secrets": {"limits__per_key": "3/minute"},
        "env": {"OCR_LIMITS__PER_KEY": "4/minute"},
    }
    main = "[limits]\nper_key = '1/minute'"
    seen = [load(main).limits.per_key]
    for number in range(1, 4):
        some = dict(list(layers.items())[:number])
        seen.append(load(main, **some).limits.per_key)
    assert seen == ["1/minute", "2/minute", "3/minute", "4/minute"]


def test_an_override_leaves_the_table_s_other_keys(load: Load) -> None:
    """Overriding a key does not reset the others."""
    settings = load(
        "[tls]\nmax_connections = 7\nclose_linger_s = 2",
        local="[tls]\nreload_poll_s = 9",
        env={"OCR_TLS__CLOSE_LINGER_S": "3"},
    )
    assert settings.tls.max_connections == 7
    assert settings.tls.reload_poll_s == 9
    assert settings.tls.close_linger_s == 3


def test_keys_of_two_files_merge(load: Load) -> None:
    """An entry of the local file is added, or overrides the entry with its id."""
    both = load(KEY, local=OTHER_KEY)
    assert [key.id for key in both.keys] == ["aaaa", "bbbb"]
    merged = load(KEY + 'limits = { "*" = "9/minute" }', local='[[keys]]\nid = "aaaa"\nname = "x"')
    assert [(key.name, key.limits) for key in merged.keys] == [("x", {"*": "9/minute"})]


def test_functions_of_two_files_merge_by_path(load: Load) -> None:
    """An entry of the local file is added, or overrides parts of the entry with its path."""
    hello = '[[functions]]\npath = "/hello"\nhandler = "handlers.hello:hello"\nscope = "public"'
    assert [f.path for f in load(local=hello).functions] == ["/ocr", "/hello"]
    limit = '[[functions]]\npath = "/ocr"\nlimits = ["2/minute"]'
    [merged] = load(local=limit, main=MINIMAL + "max_body_bytes = 9").functions
    assert merged.limits == ("2/minute",)
    assert (merged.handler, merged.max_body_bytes) == ("handlers.ocr:recognize", 9)


@pytest.mark.parametrize("where", ["main", "local"])
def test_a_duplicate_in_one_source_is_rejected(where: str, refuse: Refuse) -> None:
    """Also if both override an entry of another source."""
    texts = {"main": (KEY + KEY, None), "local": (KEY, KEY + KEY.replace("accounting", "x"))}
    main, local = texts[where]
    assert "[[keys]] id 'aaaa' appears twice" in refuse(main, local=local)


def test_no_keys_is_written_as_an_empty_list(load: Load) -> None:
    """`keys = []` is the service's table without entries, not a key of Hypercorn."""
    assert load(top="keys = []").keys == ()
    assert len(load(KEY, local="keys = []").keys) == 1


@pytest.mark.parametrize("key", sorted([*Server.model_fields, *UNSUPPORTED]))
def test_overriding_a_key_of_hypercorn_is_refused(key: str, refuse: Refuse) -> None:
    """It would be validated and have no effect, so every source but settings.toml is rejected."""
    end = f" has no effect: Hypercorn reads settings.toml itself; set {key} there"
    assert refuse(env={f"OCR_{key.upper()}": "1"}) == f"OCR_{key.upper()}{end}"
    assert refuse(secrets={key: "1"}) == f"secrets/{key}{end}"
    assert refuse(local=f"{key} = 1") == f"settings.local.toml: {key}{end}"


@pytest.mark.parametrize("name", ["OCR_LIMIT__STORAGE", "OCR_LIMITS_STORAGE"])
def test_a_misspelled_table_in_the_environment_is_named(name: str, refuse: Refuse) -> None:
    """A variable that matches no table would silently have no effect."""
    message = refuse(env={name: "x"})
    assert message == f"{name} matches no table of settings.toml; did you mean OCR_LIMITS?"


@pytest.mark.parametrize("name", ["OCR_SETTING", "ocr_settings", "OCR_SECRETSDIR"])
def test_the_service_s_variables_must_be_spelled_exactly(name: str, refuse: Refuse) -> None:
    """OCR_SETTINGS and OCR_SECRETS_DIR in another spelling would be ignored."""
    assert refuse(env={name: "x"}).startswith(f"{name} matches no table")


def test_a_misspelled_key_in_the_environment_is_named(refuse: Refuse) -> None:
    """The table exists, the key does not."""
    message = refuse(env={"OCR_LIMITS__STORGE": "x"})
    assert message == "OCR_LIMITS__STORGE: [limits] storge: unknown key; did you mean storage?"


def test_other_variables_are_ignored(load: Load) -> None:
    """Only those that start with OCR_ are read."""
    assert load(env={"PATH": "/bin", "OCRX": "1", "XOCR_LIMITS": "1"}) == load()


def test_case_does_not_matter_in_the_environment(load: Load) -> None:
    """Table and key are matched case-insensitively."""
    assert load(env={"ocr_Limits__per_KEY": "5/hour"}).limits.per_key == "5/hour"


def test_lists_in_the_environment_are_json(load: Load, refuse: Refuse) -> None:
    """A variable can hold [[keys]]; what is not JSON is rejected."""
    entry = {"id": "cccc", "name": "env", "sha256": "1" * 64, "scopes": ["ocr"]}
    assert [k.id for k in load(KEY, env={"OCR_KEYS": json.dumps([entry])}).keys] == ["aaaa", "cccc"]
    message = refuse(env={"OCR_KEYS": "cccc"})
    assert message.startswith("OCR_KEYS: [[keys]]: is not a list of tables; ")
    assert message.endswith('JSON: [{"id": "..."}]')


@pytest.mark.parametrize("value", ['["x"]', "[3, {}]", "{}", '"x"', '[{"id": ["x"]}]'])
@pytest.mark.parametrize("main", ["", KEY])
def test_a_list_of_other_values_is_rejected(value: str, main: str, refuse: Refuse) -> None:
    """It is neither ignored nor a crash."""
    assert "keys" in refuse(main, env={"OCR_KEYS": value})


@pytest.mark.parametrize("table", Settings.tables())
def test_null_is_no_table(table: str, refuse: Refuse) -> None:
    """It would be accepted and do nothing."""
    name = f"OCR_{table.upper()}"
    assert refuse(env={name: "null"}).startswith(f"{name}: {bracketed(table)}: is not a ")


@pytest.mark.parametrize("text", ["1_0", "\u0663", "1\u0663", " 7", "1e1_0"])
@pytest.mark.parametrize("key", ["idle_s", "processes"])
def test_a_number_has_ascii_digits_alone(text: str, key: str, refuse: Refuse) -> None:
    """As in TOML; Python reads more."""
    name = f"OCR_ENGINE__{key.upper()}"
    message = refuse(env={name: text})
    assert message.startswith(f"{name}: [engine] {key}: ")
    assert f"write {text}" not in message


@pytest.mark.parametrize("text", ["7", "+7", "7.0", "7.", "0.7e1", ".7E+1"])
def test_a_number_in_the_environment(text: str, load: Load) -> None:
    """In each usual notation."""
    assert load(env={"OCR_ENGINE__IDLE_S": text}).engine.idle_s == 7


def test_the_lines_of_a_file_are_found_once(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many mistakes it has: a reload looks for them on the event loop."""
    read = []

    def count(text: str) -> dict[Loc, int]:
        read.append(text)
        return key_lines(text)

    monkeypatch.setattr("settings.sources.key_lines", count)
    wrong = "\n".join(f"wrong{number} = 1" for number in range(20))
    with pytest.raises(SettingsError) as caught:
        load(f"[tls]\n{wrong}", local=f"[limits]\n{wrong}")
    assert len(str(caught.value).splitlines()) == 40
    assert len(read) == 2


def test_secrets_are_files(load: Load, tmp_path: Path) -> None:
    """They are read without the final newline, and through links, as Kubernetes mounts them."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("async+redis://:hunter2@h\n", encoding="utf-8")
    directory = tmp_path / "secrets"
    (directory / "..data").mkdir(parents=True)
    (directory / ".hidden").write_text("x", encoding="utf-8")
    (directory / "limits__storage").symlink_to(elsewhere)
    settings = load(secrets={"limits__per_key": "7/minute\n"})
    assert settings.limits.storage.get_secret_value() == "async+redis://:hunter2@h"
    assert settings.limits.per_key == "7/minute"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "limit__storage",
            "secrets/limit__storage matches no table of settings.toml; did you mean",
        ),
        (
            "limits__storge",
            "secrets/limits__storge: [limits] storge: unknown key; did you mean storage?",
        ),
        ("README", "secrets/README matches no table"),
    ],
)
def test_a_misspelled_secret_is_named(name: str, said: str, refuse: Refuse) -> None:
    """A file that matches no key is an error."""
    assert refuse(secrets={name: "x"}).startswith(said)


def test_an_unreadable_secret_is_an_error(tmp_path: Path, refuse: Refuse) -> None:
    """Such as a directory, or bytes that are not UTF-8."""
    (tmp_path / "secrets" / "limits").mkdir(parents=True)
    assert refuse(secrets={}) == "secrets/limits cannot be read: Is a directory"
    (tmp_path / "secrets" / "limits").rmdir()
    (tmp_path / "secrets" / "limits__storage").write_bytes(b"\xff\xfe")
    assert refuse(secrets={}).startswith("secrets/limits__storage cannot be read: it is not UTF-8")


def test_the_secrets_directory_must_exist(tmp_path: Path, refuse: Refuse) -> None:
    """A missing directory is not an empty one."""
    missing = str(tmp_path / "nowhere")
    assert refuse(env={"OCR_SECRETS_DIR": missing}).startswith(f"OCR_SECRETS_DIR: {missing} is not")


@pytest.mark.parametrize("name", ["settings.toml", "settings.local.toml"])
def test_an_unknown_table_is_named(name: str, refuse: Refuse) -> None:
    """Hypercorn would set an unknown table on its Config and ignore it."""
    text = "[limit]\nper_key = '1/minute'"
    options: Mapping[str, str] = {"local": text} if "local" in name else {"tables": text}
    message = refuse(options.get("tables", ""), local=options.get("local"))
    assert message == f"{name}: [limit]: unknown table; did you mean limits?"


def test_the_name_server_is_not_a_table(refuse: Refuse) -> None:
    """The schema's own name for the top level cannot be used to set it."""
    assert "[server]: unknown table" in refuse("[server]\nworkers = 2")
    assert "OCR_SERVER__WORKERS has no effect" in refuse(env={"OCR_SERVER__WORKERS": "2"})


@pytest.mark.parametrize("table", Settings.tables())
def test_a_table_written_as_a_scalar_is_a_wrong_table(table: str, refuse: Refuse) -> None:
    """`limits = 3` is an invalid table of the service, not an unknown key of Hypercorn."""
    main = MINIMAL.partition("[[")[0]
    assert f"settings.toml: {bracketed(table)}: is not a " in refuse(top=f"{table} = 3", main=main)


@given(st.text(), st.lists(st.text(), min_size=1))
def test_a_suggestion_is_a_known_name(name: str, known: list[str]) -> None:
    """For any input."""
    said = suggestion(name, known)
    assert said.startswith(("did you mean ", "valid names: "))
    if said.startswith("did you mean "):
        assert said.removeprefix("did you mean ").removesuffix("?") in known


@pytest.mark.parametrize("where", ["main", "local"])
def test_a_key_without_its_table_is_reported_with_the_table(where: str, refuse: Refuse) -> None:
    """Hypercorn has no such key; a table of the service has."""
    stray = "processes = 2\n"
    message = refuse(top=stray) if where == "main" else refuse(local=stray)
    assert "did you mean processes of [engine]?" in message
