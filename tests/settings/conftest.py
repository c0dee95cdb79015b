"""Settings files to load, in a temporary directory."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from settings import Settings, SettingsError, load_settings

MINIMAL = """
certfile = "tls/local/certificate.pem"
keyfile = "tls/local/certificate.key"
include_server_header = false

[[functions]]
path = "/ocr"
handler = "handlers.ocr:recognize"
scope = "ocr"
"""

KEY = f"""
[[keys]]
id = "aaaa"
name = "accounting"
sha256 = "{"0" * 64}"
scopes = ["ocr"]
"""

Load = Callable[..., Settings]
Refuse = Callable[..., str]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load settings from texts; `top` precedes the minimal file, `main` replaces it."""

    def load_texts(
        tables: str = "",
        *,
        top: str = "",
        main: str = MINIMAL,
        local: str | None = None,
        secrets: Mapping[str, str] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Settings:
        path = tmp_path / "settings.toml"
        path.write_text(f"{top}\n{main}\n{tables}", encoding="utf-8")
        if local is not None:
            path.with_name("settings.local.toml").write_text(local, encoding="utf-8")
        variables = dict(env or {})
        if secrets is not None:
            directory = tmp_path / "secrets"
            directory.mkdir(exist_ok=True)
            for name, text in secrets.items():
                (directory / name).write_text(text, encoding="utf-8")
            variables["OCR_SECRETS_DIR"] = str(directory)
        return load_settings(path, variables)

    return load_texts


@pytest.fixture
def refuse_with_lines(load: Load) -> Refuse:
    """Load invalid settings and return the error message."""

    def refuse_texts(*args: object, **options: object) -> str:
        with pytest.raises(SettingsError) as caught:
            load(*args, **options)
        return str(caught.value)

    return refuse_texts


@pytest.fixture
def refuse(refuse_with_lines: Refuse) -> Refuse:
    """Load invalid settings and return the error message without the lines' numbers."""

    def refuse_texts(*args: object, **options: object) -> str:
        return re.sub(r"\.toml:\d+", ".toml", refuse_with_lines(*args, **options))

    return refuse_texts
