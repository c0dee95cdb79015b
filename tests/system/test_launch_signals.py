"""What scripts/serve does when its terminal closes, and when it has none."""

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.model.processes import children_of, is_running
from tests.server.servers import until
from tests.system.service import PATIENCE_S, copy_project
from tests.system.test_scripts import bare, on_free_ports

STAYS_S = 3  # several times what the service takes to end


def command_of(root: Path) -> tuple[str, str]:
    """Return what scripts/serve runs once everything is installed."""
    return sys.executable, str(root / "scripts" / "launch.py")


class Launched:
    """The launcher in its own session, writing to `log`."""

    def __init__(self, root: Path, how: str, *, terminal: bool) -> None:
        self.log = root.parent / "log"
        self.near, far = pty.openpty()
        session = ("setsid", "-c") if terminal else ("setsid",)
        self.process = subprocess.Popen(
            [*session, "sh", "-c", how, "sh", self.log, *command_of(root)],
            env=bare(root.parent),
            stdin=far if terminal else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(far)

    def said(self, text: str) -> None:
        """Wait until the log holds `text`."""
        self.until(lambda: self.log.exists() and text in self.log.read_text("utf-8"), text)

    def until(self, happened: Callable[[], bool], what: str) -> None:
        """Wait for something."""
        due = time.monotonic() + PATIENCE_S
        while not happened():
            assert time.monotonic() < due, f"{what}: {self.log.read_text('utf-8')}"
            time.sleep(0.02)

    def close_terminal(self) -> None:
        """Do what closing its window does."""
        if self.near >= 0:
            os.close(self.near)
            self.near = -1

    def end(self) -> None:
        """Leave nothing behind."""
        with suppress(ProcessLookupError):
            for pid in (*children_of(self.process.pid), self.process.pid):
                os.kill(pid, signal.SIGTERM)
        self.process.wait(PATIENCE_S)
        self.close_terminal()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project on free ports."""
    return on_free_ports(copy_project(tmp_path_factory.mktemp("signals") / "project"))


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Callable[..., Launched]]:
    """Start the launcher on free ports; `how` is a line of shell."""
    root = on_free_ports(copy_project(tmp_path / "project"))
    started: list[Launched] = []

    def start(how: str, *, terminal: bool) -> Launched:
        started.append(Launched(root, how, terminal=terminal))
        started[0].said("Try it")
        return started[0]

    yield start
    for one in started:
        one.end()


@pytest.mark.parametrize(
    "how",
    [
        'log=$1; shift; exec "$@" >"$log" 2>&1',
        'log=$1; shift; exec "$@" </dev/null >"$log" 2>&1',
    ],
)
def test_it_ends_with_its_terminal(launch: Callable[..., Launched], how: str) -> None:
    """The service ends too, as after SIGTERM, whatever its input and output are."""
    launched = launch(how, terminal=True)
    [service] = children_of(launched.process.pid)
    launched.close_terminal()
    assert launched.process.wait(PATIENCE_S) == 0
    launched.until(lambda: not Path(f"/proc/{service}").exists(), "the service ended")


def test_it_ends_with_the_terminal_it_writes_to(tmp_path: Path) -> None:
    """Nothing that the end has to say to a terminal that is gone keeps it."""
    root = on_free_ports(copy_project(tmp_path / "project"))
    near, far = pty.openpty()
    process = subprocess.Popen(
        ["setsid", "-c", *command_of(root)], env=bare(tmp_path), stdin=far, stdout=far, stderr=far
    )
    os.close(far)
    said = b""
    while b"/ocr\r\n\r\n" not in said:  # the last of it: nobody is cut off in a word
        said += os.read(near, 4096)  # raises OSError where nothing has it open any more
    [service] = children_of(process.pid)
    os.close(near)
    try:
        status = process.wait(PATIENCE_S)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(PATIENCE_S)
    assert (status, Path(f"/proc/{service}").exists()) == (0, False)


def test_sighup_without_a_terminal_is_a_reload(launch: Callable[..., Launched]) -> None:
    """As a supervisor sends it: the service takes up its settings, and stays."""
    launched = launch('log=$1; shift; exec "$@" >"$log" 2>&1', terminal=False)
    launched.process.send_signal(signal.SIGHUP)
    launched.said('"reloaded"')
    with pytest.raises(subprocess.TimeoutExpired):
        launched.process.wait(STAYS_S)


def test_nohup_keeps_it(launch: Callable[..., Launched]) -> None:
    """With nohup the service outlives the terminal."""
    launched = launch('log=$1; shift; exec nohup "$@" >"$log" 2>&1', terminal=True)
    launched.close_terminal()
    launched.said('"reloaded"')
    with pytest.raises(subprocess.TimeoutExpired):
        launched.process.wait(STAYS_S)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_right_after_the_start_is_a_stop(
    project: Path, tmp_path: Path, number: signal.Signals
) -> None:
    """Before the service handles signals, too: exit status 0, no traceback, nothing left."""
    process = subprocess.Popen(
        [*command_of(project)], env=bare(tmp_path), start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        until(lambda: "hypercorn" in commands_of_children(process.pid))
        service = next(iter(children_of(process.pid)))
        os.killpg(process.pid, number)  # as Ctrl-C does
        said = process.communicate(timeout=PATIENCE_S)[0]
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, said
    assert "Traceback" not in said
    assert "Sealed OCR has stopped." in said
    assert not is_running(service)


def test_the_service_ends_with_a_killed_launcher(project: Path, tmp_path: Path) -> None:
    """SIGKILL leaves no service that nobody watches."""
    process = subprocess.Popen(
        [*command_of(project)], env=bare(tmp_path),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until(lambda: "hypercorn" in commands_of_children(process.pid))
    [service] = children_of(process.pid)
    process.kill()
    process.wait(PATIENCE_S)
    until(lambda: not is_running(service))


def commands_of_children(pid: int) -> str:
    """Return the command lines of a process's children."""
    found = ""
    for child in children_of(pid):
        with suppress(OSError):
            found += Path(f"/proc/{child}/cmdline").read_text("utf-8")
    return found
