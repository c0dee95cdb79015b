"""The shipped settings.toml matches the schema that it documents."""

import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypercorn.config import Config
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from settings import load_settings
from settings.schema import Settings
from settings.tables import ApiKey, Function, Table

SHIPPED = Path(__file__).parents[2] / "settings.toml"
TEXT = SHIPPED.read_text(encoding="utf-8")
TABLES: dict[str, type[Table]] = {
    name: field.annotation
    for name, field in Settings.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, Table)
}


def _section(name: str) -> str:
    """Return the text from a table's header, commented or not, to the next one."""
    match = re.search(rf"(?ms)^(?:# )?\[+{name}\]+$(.*?)(?=^(?:# )?\[|^# ----|\Z)", TEXT)
    assert match, f"no [{name}] in settings.toml"
    return match[1]


def test_it_loads(tmp_path: Path) -> None:
    """The shipped file is valid and binds to loopback only; a settings.local.toml is not read."""
    settings = load_settings(Path(shutil.copy(SHIPPED, tmp_path)), {})
    assert settings.server.public_binds == ()
    assert [each.path for each in settings.enabled_functions] == [
        "/ocr",
        "/",
        "/assets/{name}",
        "/healthz",
        "/readyz",
        "/metrics",
        "/openapi.json",
        "/docs",
    ]
    assert settings.keys == ()


@pytest.mark.parametrize("name", TABLES)
def test_its_values_are_the_defaults(name: str) -> None:
    """Deleting a table from the file changes nothing."""
    assert getattr(load_settings(SHIPPED, {}), name) == TABLES[name]()


def test_ocr_has_the_default_limits_of_a_function() -> None:
    """The sizes and times of /ocr are the defaults for functions that do not set them."""
    ocr = tomllib.loads(TEXT)["functions"][0]
    for name in ("max_body_bytes", "body_timeout_s", "timeout_s"):
        assert ocr[name] == Function.model_fields[name].default


@pytest.mark.parametrize(
    ("table", "model"), [*TABLES.items(), ("functions", Function), ("keys", ApiKey)]
)
def test_every_field_is_in_the_file(table: str, model: type[BaseModel]) -> None:
    """Set or commented out."""
    section = _section(table)
    for field in model.model_fields:
        assert re.search(rf"(?m)^(?:# )?{field} = ", section), f"[{table}] {field}"


def test_every_table_is_in_the_file() -> None:
    """The tables of the schema and the file are the same."""
    assert {*TABLES, "functions", "keys", "server"} == set(Settings.model_fields)


def test_a_missing_field_would_be_found() -> None:
    """Negative control."""
    assert not re.search(r"(?m)^(?:# )?max_age = ", _section("hsts"))


def test_each_key_of_the_file_has_its_comment() -> None:
    """Each key follows a comment, or another key with the same comment."""
    explained = False
    for line in TEXT.partition("# ---- [[functions]]")[0].splitlines():
        if re.match(r"\w+ = ", line):
            assert explained, line
        else:
            explained = line.startswith("#")


def _replaces_an_attribute(table: str) -> bool:
    """Whether Hypercorn, which sets every top-level key, would lose an attribute to the table.

    It keeps its properties, such as `log`: they cannot be set.
    """
    value = {"a": "table"}
    return hasattr(Config(), table) and getattr(Config.from_mapping({table: value}), table) == value


@pytest.mark.parametrize("table", Settings.tables())
def test_no_table_shadows_a_key_of_hypercorn(table: str) -> None:
    """Hypercorn sets the tables on its Config, where they must not replace an attribute."""
    assert not _replaces_an_attribute(table)


def test_a_shadowing_table_would_be_found() -> None:
    """Negative control."""
    assert _replaces_an_attribute("workers")


def test_hypercorn_has_the_validated_values() -> None:
    """Each top-level key has the same value in Hypercorn's Config."""
    config: Any = Config.from_toml(SHIPPED)
    server = load_settings(SHIPPED, {}).server
    for key in server.model_fields_set:
        value = getattr(server, key)
        assert getattr(config, key) == (list(value) if isinstance(value, tuple) else value), key


def test_defaults_exist_where_a_table_may_be_left_out() -> None:
    """Every field of these tables has one."""
    for model in TABLES.values():
        for name, field in model.model_fields.items():
            assert field.default is not PydanticUndefined, name
