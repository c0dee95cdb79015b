"""The start of a server, and how it is refused."""

import multiprocessing
import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

import server.install
from server import supervisor
from tests.server.servers import PATIENCE_S, start
from tls.development import Paths, ensure_development_certificate


def run(pair: Paths, *, workers: int, hardened: bool = True, **options: Any) -> tuple[int, str]:
    """Run the command to its end; return its exit status and what it printed."""
    process = start(pair, hardened=hardened, settings={"workers": workers}, **options)
    try:
        _, printed = process.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return process.returncode, printed


@pytest.mark.parametrize("workers", [0, 1, 2])
@pytest.mark.parametrize("moment", ["refuse_config", "refuse_import"])
def test_refusal_ends_the_command(pair: Paths, workers: int, moment: str) -> None:
    """A refusal is printed once, without a traceback, and the status isn't 0 (#269)."""
    options: dict[str, Any] = {moment: "not like this"}
    status, printed = run(pair, workers=workers, **options)
    assert status != 0
    assert printed.count("not like this") == 1
    assert "Traceback" not in printed
    if moment == "refuse_config":
        assert re.search(r"not like this: 127\.0\.0\.1:0", printed)


class SlowEvent:
    """An event between processes that others have time to look at before it is set."""

    def __init__(self) -> None:
        self._event = multiprocessing.get_context("fork").Event()

    def is_set(self) -> bool:
        """Return whether it was set, after a while."""
        found = self._event.is_set()
        time.sleep(0.1)
        return found

    def set(self) -> None:
        """Set it."""
        self._event.set()


def test_of_two_refusals_at_once_one_is_printed(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Both processes see that nobody has refused yet, if nothing makes one of them wait."""
    event = SlowEvent()
    monkeypatch.setattr(supervisor, "shutdown_event", lambda: event)
    forked = []
    for _ in range(2):
        pid = os.fork()
        if pid == 0:
            supervisor.refuse("not like this")
        forked.append(pid)
    statuses = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in forked]
    assert statuses == [supervisor.REFUSED] * 2
    assert capfd.readouterr().err == "not like this\n"


def test_stock_supervisor_hides_a_refusal(pair: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """With stock Hypercorn the status is 0 though nothing was served."""
    monkeypatch.setenv("STOCK_REFUSES", "not like this")
    status, printed = run(pair, hardened=False, workers=1)
    assert "not like this" in printed
    assert status == 0


def test_a_pair_that_does_not_match_refuses_the_start(tmp_path: Path) -> None:
    """A key of another certificate ends the command with a message."""
    pair = ensure_development_certificate(tmp_path)
    pair.key.write_bytes(pair.ca_key.read_bytes())
    status, printed = run(pair, workers=0)
    assert status != 0
    assert "TLS can't start: " in printed
    assert "KEY_VALUES_MISMATCH" in printed
    assert "Traceback" not in printed


def test_small_windows_are_refused() -> None:
    """A window must not be smaller than the protocol's initial one."""
    with pytest.raises(ValueError, match="65535"):
        server.install.ServerOptions(receive_window_bytes=1000)
