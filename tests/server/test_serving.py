"""The start: a Config that is refused, a certificate that can't be served, a Hypercorn unknown."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import server.install
import server.probes
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


def test_stock_supervisor_hides_a_refusal(pair: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the above is for: without it the status is 0 though nothing was ever served."""
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


def test_probes_pass_here() -> None:
    """Everything the fixes build on is in the Hypercorn installed, by its own signature."""
    for fix in server.probes.NAMES:
        server.probes.check_names(fix)


def test_every_fix_has_a_probe() -> None:
    """The closed list of fixes and the table of probes name the same things."""
    from server.patches import FIXES  # noqa: PLC0415 - the module under test needs no earlier import

    assert [fix.name for fix in FIXES if fix.name not in server.probes.NAMES] == []
    assert len(FIXES) == len(server.probes.NAMES)


def test_failed_probe_names_its_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing name and a changed signature are each told with the fix they break."""
    monkeypatch.delattr("hypercorn.protocol.h2.H2Protocol._send_data")
    with pytest.raises(server.probes.ProbeError, match=r"http2 uploads: .*_send_data is gone"):
        server.probes.check_names("http2 uploads")
    monkeypatch.setattr("hypercorn.protocol.h11.H11Protocol._close_stream", lambda: None)
    with pytest.raises(server.probes.ProbeError, match=r"http1 early replies: .* other parameters"):
        server.probes.check_names("http1 early replies")


def test_behaviour_probe_fails_on_stock() -> None:
    """The in-memory exchange finds what a stock Hypercorn does to an early reply."""
    script = "from server.probes import check_behaviour; check_behaviour()"
    stock = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert stock.returncode != 0
    installed = (
        f"from server.install import ServerOptions, install; install(ServerOptions()); {script}"
    )
    ours = subprocess.run(
        [sys.executable, "-c", installed], capture_output=True, text=True, check=False
    )
    assert ours.returncode == 0, ours.stderr


def test_unknown_version_warns_and_probes() -> None:
    """A Hypercorn nobody tested is named in a warning, and served if its probes pass."""
    script = (
        "import server.install as t; t.TESTED_VERSIONS = frozenset({'0.1'}); "
        "t.install(t.ServerOptions());"
        "print('installed')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert "has not been tested (tested: 0.1)" in done.stderr
    assert done.stdout == "installed\n"


def test_small_windows_are_refused() -> None:
    """A window below what clients assume before they know better would cut them off."""
    with pytest.raises(ValueError, match="65535"):
        server.install.ServerOptions(receive_window_bytes=1000)
