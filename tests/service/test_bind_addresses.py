"""What is in the way of a bind address, and who holds a port that is taken."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from service import port_holder
from service.bind_addresses import bind_problem

HOLD = """
import socket, sys
with socket.create_server(("127.0.0.1", 0)) as held:
    print(held.getsockname()[1], flush=True)
    sys.stdin.read()
"""
FORK = """
    import os
    if os.fork() == 0:
        sys.stdin.read()
        os._exit(0)
    print("""


def _said(address: str) -> str:
    problem = bind_problem(address)
    assert problem is not None
    return problem.text


@pytest.mark.parametrize("address", ["127.0.0.1:0", "localhost:0", "[::1]:0"])
def test_a_free_address_has_no_problem(address: str) -> None:
    """Nothing is left bound, so the second question has the same answer."""
    if socket.has_ipv6 or "::" not in address:
        assert (bind_problem(address), bind_problem(address)) == (None, None)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("203.0.113.9:8443", "this machine has no address 203.0.113.9; use one that it has"),
        (f"{'ä' * 64}.example:8443", "is no valid host name"),
        ("fd://987", "not a socket (Bad file descriptor); it has to be passed in"),
        ("unix:/no/such/directory/ocr.sock", "the directory /no/such/directory does not exist"),
        (f"unix:/{'a' * 107}", "the path is longer than 107 bytes"),
    ],
)
def test_a_problem_is_in_plain_words(address: str, said: str) -> None:
    """With what to do about it, and no error number."""
    assert said in _said(address)
    assert "Errno" not in _said(address)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (socket.EAI_NONAME, "the name ocr.test has no IPv4 address here"),
        (socket.EAI_AGAIN, "the name ocr.test cannot be resolved now"),
    ],
)
def test_a_name_without_an_address_is_told_from_one_that_cannot_be_resolved_now(
    error: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A temporary failure is no reason to correct the name. No resolver is asked."""

    class Unresolved(socket.socket):
        def bind(self, _address: object) -> None:
            raise socket.gaierror(error, "")

    monkeypatch.setattr(socket, "socket", Unresolved)
    assert said in _said("ocr.test:8443")


def test_the_name_of_a_holder_cannot_move_the_cursor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another user's process chooses it; root reads it on a terminal."""
    monkeypatch.setattr(port_holder, "PROC", tmp_path)
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "cmdline").write_bytes(b"/bin/\x1b]0;owned\x07\n\x00")
    holder = port_holder.Holder(7, "someone")
    assert str(holder) == r"process 7 (\x1b]0;owned\x07\n)"


@pytest.mark.parametrize("wildcard", [False, True])
def test_the_holder_of_a_port_is_named(wildcard: bool) -> None:  # noqa: FBT001
    """By its process, whichever of the machine's addresses is asked for."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        host = "0.0.0.0" if wildcard else "127.0.0.1"  # noqa: S104 - only asked about
        said = _said(f"{host}:{held.getsockname()[1]}")
    assert said.startswith(f"in use by process {os.getpid()} (")


def test_a_holder_serves_the_file_that_its_command_line_names(tmp_path: Path) -> None:
    """In each notation, relative to its own directory; another file is another service."""
    file = tmp_path / "settings.toml"
    file.touch()
    for notation in (["-c", "settings.toml"], ["--config", str(file)], [f"--config={file}"], []):
        with subprocess.Popen(
            [sys.executable, "-c", HOLD, *notation],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=tmp_path,
            text=True,
        ) as process:
            assert process.stdout is not None
            problem = bind_problem(f"127.0.0.1:{int(process.stdout.readline())}")
            assert problem is not None
            assert problem.holder is not None
            assert problem.holder.pid == process.pid
            assert problem.holder.serves(file) is bool(notation)
            assert not problem.holder.serves(tmp_path / "other.toml")
            process.communicate()


def test_of_several_processes_with_a_socket_the_first_is_named() -> None:
    """It has the command line; a worker that inherited the socket has another."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD.replace("    print(", FORK)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = _said(f"127.0.0.1:{int(process.stdout.readline())}")
        process.communicate()
    assert f"in use by process {process.pid} (" in said


def test_without_proc_the_holder_is_another_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As under systemd's ProcSubset=pid: the port is still said to be in use."""
    monkeypatch.setattr(port_holder, "PROC", tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as held:
        said = _said(f"127.0.0.1:{held.getsockname()[1]}")
    assert said.startswith("in use by another program; stop it")


def test_a_unix_socket_in_use_is_named(tmp_path: Path) -> None:
    """What an ended service has left behind is no problem: Hypercorn removes it."""
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as held:
        held.bind(str(path))
        assert bind_problem(f"unix:{path}") is None
        held.listen()
        assert f"in use by process {os.getpid()} (" in _said(f"unix:{path}")
    path.unlink()
    path.write_text("", encoding="utf-8")
    assert _said(f"unix:{path}").startswith("it exists and is not a socket")


def test_a_datagram_socket_is_refused() -> None:
    """An inherited socket must be a stream."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as inherited:
        assert _said(f"fd://{inherited.fileno()}").startswith("not a stream socket")
    with socket.socket() as inherited:
        assert bind_problem(f"fd://{inherited.fileno()}") is None
