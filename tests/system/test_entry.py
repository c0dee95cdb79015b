"""`python -m service`: a checked start of Hypercorn, in plain words whatever is wrong."""

import errno
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from service.__main__ import main
from service.check import Report
from tests.measuring import measuring
from tests.system.service import PATIENCE_S, ROOT, Service

Start = Callable[..., Service]


def _entry(settings: Path, *more: str) -> "subprocess.Popen[str]":
    """Start it on a settings file, which only the command line names."""
    return subprocess.Popen(
        [sys.executable, "-m", "service", "--config", str(settings), *more],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(settings.parent), **measuring()},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _refused(settings: Path, *more: str) -> str:
    process = _entry(settings, *more)
    said, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1, said
    assert said.startswith("Sealed OCR does not start:\n")
    assert "Traceback" not in said
    return said.partition("\n")[2]


def _check(settings: Path, *more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "service.check", "--config", str(settings), *more],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **measuring()},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_beside_a_running_service(start: Start) -> None:
    """The check has no mistakes, as before a reload; a second start names who has the ports."""
    with start() as service:
        ports = service.ports
        text = service.settings.read_text("utf-8")
        for key, scheme in (("bind", "https"), ("insecure_bind", "http")):
            text = re.sub(rf"(?m)^{key} = .*$", f'{key} = ["127.0.0.1:{ports[scheme]}"]', text)
        service.settings.write_text(text, encoding="utf-8")
        beside = _check(service.settings)
        starting = _check(service.settings, "--start")
        said = _refused(service.settings)
    assert (beside.returncode, starting.returncode) == (0, 1)
    assert beside.stderr.count("the service is running") == 2
    holder = f"in use by process {service.process.pid} ("
    assert starting.stderr.count(holder) == said.count(holder) == 2


@pytest.mark.parametrize("workers", [0, 1])
def test_it_serves_as_hypercorn_does(start: Start, workers: int) -> None:
    """With worker processes, too; SIGTERM ends it with status 0."""
    prepared = start(server={"workers": str(workers), "graceful_timeout": '"x"'})
    prepared.refusal()
    text = prepared.settings.read_text("utf-8").replace('graceful_timeout = "x"', "")
    prepared.settings.write_text(text, encoding="utf-8")
    process = _entry(prepared.settings)
    assert process.stdout is not None
    with process:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "Running on http:" in line:
                break
        assert process.poll() is None, "".join(lines)
        process.send_signal(signal.SIGTERM)
        process.stdout.read()
    assert process.returncode == 0


@pytest.mark.parametrize("serving", [False, True])
def test_only_a_start_is_refused(
    serving: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An OSError after the sockets have been made is no refused start."""

    def create_sockets() -> NoReturn:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    def serve() -> NoReturn:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr(sys, "argv", ["service", "--config", str(tmp_path / "settings.toml")])
    monkeypatch.setenv("OCR_SETTINGS", "")
    monkeypatch.setattr("service.check.check", lambda *_, **__: Report())
    monkeypatch.setattr(
        "hypercorn.__main__.main", lambda _: serve() if serving else create_sockets()
    )
    if serving:
        with pytest.raises(BrokenPipeError):
            main()
        assert capsys.readouterr().err == ""
    else:
        assert main() == 1
        said = "Sealed OCR does not start:\nBroken pipe: a socket\n"
        assert capsys.readouterr().err == said


def test_what_hypercorn_reads_first_is_in_plain_words(tmp_path: Path) -> None:
    """Of each of these Hypercorn alone ends in a traceback."""
    shipped = (ROOT / "settings.toml").read_text("utf-8").replace('"tls/local/', f'"{tmp_path}/')
    shipped = re.sub(r":(8443|8080)\"\]", ':0"]', shipped)
    file = tmp_path / "settings.toml"
    for change, said in (
        (("backlog = 512", "backlog = "), "not valid TOML: the value is missing"),
        (("backlog = 512", "backlog = 1\nbacklog = 2"), "the key is already set above"),
        (("workers = 0", 'workers = "0"'), 'workers: "0" is a string, not a whole number'),
        (('bind = ["127.0.0.1:0"]', "bind = 8443"), "bind: is not a list"),
    ):
        file.write_text(shipped.replace(*change), encoding="utf-8")
        assert re.match(rf"settings\.toml:\d+: .*{re.escape(said)}", _refused(file))
    file.write_text("\ufeff" + shipped, encoding="utf-8")
    assert "byte order mark" in _refused(file)
    file.unlink()
    assert f"{file} does not exist" in _refused(file)
