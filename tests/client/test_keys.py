"""Where the key comes from."""

from pathlib import Path

import pytest

from sealed_ocr_client import UnusableOption, find_key

URL = "https://ocr.example"
KEYRING = """
from keyring.backend import KeyringBackend

class One(KeyringBackend):
    priority = 1
    set_password = None
    def get_password(self, service, username):
        return {("sealed-ocr", "https://ocr.example"): "ocr_ring"}.get((service, username))
"""


def _file(path: Path, text: str = "ocr_file\n", mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_the_order_of_the_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that is named, the variables, the keyring, the checkout's for this machine."""
    (tmp_path / "one_keyring.py").write_text(KEYRING)
    (tmp_path / ".dev").mkdir()
    _file(tmp_path / ".dev" / "key", "ocr_dev")
    assert find_key(URL) is None
    monkeypatch.setenv("SEALED_OCR_CHECKOUT", str(tmp_path))
    assert find_key(URL) is None
    assert find_key("https://localhost:8443") == "ocr_dev"
    import keyring  # noqa: PLC0415

    monkeypatch.syspath_prepend(tmp_path)
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.core.load_keyring("one_keyring.One"))
    try:
        assert find_key(f"{URL}/") == "ocr_ring"
        monkeypatch.setenv("SEALED_OCR_KEY_FILE", str(_file(tmp_path / "one")))
        assert find_key(URL) == "ocr_file"
        monkeypatch.setenv("SEALED_OCR_KEY", "ocr_variable")
        assert find_key(URL) == "ocr_variable"
        assert find_key(URL, _file(tmp_path / "named", "ocr_named")) == "ocr_named"
    finally:
        keyring.set_keyring(before)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """With the command that mends it; it is not sent."""
    file = _file(tmp_path / "key", mode=mode)
    with pytest.raises(UnusableOption, match=f"chmod 600 {file}"):
        find_key(URL, file)
    file.chmod(0o600)
    assert find_key(URL, file) == "ocr_file"


@pytest.mark.parametrize("text", ["", "two words", "\u5bc6\u94a5"])
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, text: str) -> None:
    """Without showing what it holds."""
    with pytest.raises(UnusableOption) as caught:
        find_key(URL, _file(tmp_path / "key", text))
    assert not text or text not in str(caught.value)
