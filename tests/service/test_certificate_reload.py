"""The certificate is reloaded when its files change, and only if it can be served."""

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from service.certificate_reload import CertificateReload
from tls import signing
from tls.chain import check_chain
from tls.development import ensure_development_certificate


class Reloaded:
    """A reload of real files, with a server that counts its contexts."""

    def __init__(self, directory: Path) -> None:
        self.files = ensure_development_certificate(directory)
        self.contexts = 0
        self.fail: Exception | None = None
        pair = (str(self.files.certificate), str(self.files.key))

        def check() -> Any:
            return check_chain(*pair, None, "localhost")

        self.reload = CertificateReload(
            check(), pair, check=check, renew=self._renew, ticket_key_s=60
        )

    def _renew(self) -> None:
        if self.fail is not None:
            raise self.fail
        self.contexts += 1

    def poll(self) -> None:
        """Poll twice: once to see a change, once to find the files unchanged since."""
        self.reload.poll()
        self.reload.poll()

    def sabotage(self, kind: str) -> None:
        """Make the files unfit to be served."""
        if kind == "key of another":
            self.files.key.write_bytes(self.files.ca_key.read_bytes())
        elif kind == "truncated":
            self.files.certificate.write_bytes(self.files.certificate.read_bytes()[:200])
        elif kind == "missing":
            self.files.certificate.unlink()
        else:
            self._write(datetime.now(UTC) - timedelta(days=30))

    def replace(self) -> None:
        """Replace the files by those of another certificate that can be served."""
        self._write(datetime.now(UTC))

    def _write(self, start: datetime) -> None:
        leaf, key = signing.make_leaf(
            self.files.ca.read_bytes(),
            self.files.ca_key.read_bytes(),
            ("localhost",),
            start,
            timedelta(days=3),
        )
        self.files.certificate.write_bytes(leaf)
        self.files.key.write_bytes(key)


@pytest.fixture
def reloaded(tmp_path: Path) -> Reloaded:
    """Return a reload whose files are in a directory of their own."""
    return Reloaded(tmp_path)


@pytest.fixture
def events(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    """Return a function that returns the events logged since it was called last."""
    return lambda: [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()]


def test_a_new_certificate_is_loaded(reloaded: Reloaded, events: Callable[[], list[str]]) -> None:
    """Once, after the files have stopped changing."""
    before = reloaded.reload.facts
    reloaded.replace()
    reloaded.reload.poll()
    assert reloaded.contexts == 0
    reloaded.poll()
    assert reloaded.contexts == 1
    assert reloaded.reload.facts != before
    assert events() == ["certificate_loaded"]


@pytest.mark.parametrize("kind", ["key of another", "truncated", "missing", "expired"])
def test_a_certificate_that_fails_its_check_is_not_loaded(
    reloaded: Reloaded, events: Callable[[], list[str]], kind: str
) -> None:
    """The problem is logged once and stays visible until the files are replaced."""
    before = reloaded.reload.facts
    reloaded.sabotage(kind)
    for _ in range(3):
        reloaded.poll()
    assert reloaded.contexts == 0
    assert reloaded.reload.problem
    assert reloaded.reload.facts is before
    assert events() == ["certificate_not_loaded"]
    reloaded.replace()
    reloaded.poll()
    assert reloaded.contexts == 1
    assert reloaded.reload.problem is None
    assert events() == ["certificate_loaded"]


def test_a_context_that_cannot_be_made_is_a_problem(
    reloaded: Reloaded, events: Callable[[], list[str]]
) -> None:
    """Whatever the error is; its text may hold a passphrase, so only its type is named."""
    reloaded.fail = OSError("secret")
    reloaded.reload.reload()
    assert reloaded.reload.problem == "it cannot be loaded: OSError"
    assert events() == ["certificate_not_loaded"]


def test_touched_files_are_loaded_again(reloaded: Reloaded) -> None:
    """The same pair with a new date is loaded again, which does no harm."""
    before = reloaded.reload.facts
    os.utime(reloaded.files.certificate)
    reloaded.poll()
    assert reloaded.contexts == 1
    assert reloaded.reload.facts == before


def test_ticket_keys_are_renewed(
    reloaded: Reloaded, events: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a new context every `ticket_key_s` seconds, without a word in the log."""
    now = time.monotonic()
    monkeypatch.setattr("service.certificate_reload.time.monotonic", lambda: now + 59)
    reloaded.reload.poll()
    assert reloaded.contexts == 0
    monkeypatch.setattr("service.certificate_reload.time.monotonic", lambda: now + 61)
    reloaded.reload.poll()
    reloaded.reload.poll()
    assert reloaded.contexts == 1
    assert events() == []
