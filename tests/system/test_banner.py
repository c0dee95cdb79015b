"""What scripts/serve prints last."""

from pathlib import Path

import pytest

from scripts.banner import banner
from scripts.self_check import SelfCheck
from settings import load_settings

ROOT = Path(__file__).parents[2]
OFF = '[[functions]]\npath = "/"\nenabled = false\n'


@pytest.mark.parametrize(
    ("local", "first"),
    [
        ("", "Open https://localhost:8443/ in a browser, or send requests."),
        (OFF, "Sealed OCR serves https://localhost:8443."),
    ],
)
def test_the_address_of_the_page_comes_first(tmp_path: Path, local: str, first: str) -> None:
    """Where there is a page; and always the curl line."""
    file = tmp_path / "settings.toml"
    file.write_bytes((ROOT / "settings.toml").read_bytes())
    (tmp_path / "settings.local.toml").write_text(local, encoding="utf-8")
    settings = load_settings(file, {})
    lines = list(banner(settings, file, SelfCheck(settings, file, None)))
    assert lines[0].startswith(first)
    assert lines[-2].startswith("curl ")
