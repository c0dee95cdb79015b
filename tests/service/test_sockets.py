"""Sockets that were handed over, without TLS: Unix or loopback, and trusted."""

import socket
from pathlib import Path

import pytest

from service.sockets import InheritedSocketError, check_inherited


def _check(one: socket.socket, *, unix: bool = True, loopback: bool = True) -> None:
    check_inherited(
        ["127.0.0.1:1", f"fd://{one.fileno()}"], trusts_unix=unix, trusts=lambda _: loopback
    )


def test_a_unix_socket_that_is_trusted(tmp_path: Path) -> None:
    """Only where [proxy] says so."""
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(tmp_path / "s"))
        _check(one)
        with pytest.raises(InheritedSocketError, match="trusted"):
            _check(one, unix=False)


def test_a_loopback_socket_that_is_trusted() -> None:
    """As one that is bound here."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        _check(one)
        with pytest.raises(InheritedSocketError, match=r"127\.0\.0\.1"):
            _check(one, loopback=False)


def test_a_socket_that_others_reach() -> None:
    """Plain HTTP is not spoken there, whoever is trusted."""
    with socket.create_server(("0.0.0.0", 0)) as one, pytest.raises(InheritedSocketError):  # noqa: S104
        _check(one)


def test_a_number_that_is_no_socket(tmp_path: Path) -> None:
    """A file, or nothing at all."""
    with (
        (tmp_path / "file").open("w") as file,
        pytest.raises(InheritedSocketError, match="is no socket"),
    ):
        check_inherited([f"fd://{file.fileno()}"], trusts_unix=True, trusts=lambda _: True)
    with pytest.raises(InheritedSocketError, match="is no socket"):
        check_inherited(["fd://999"], trusts_unix=True, trusts=lambda _: True)
