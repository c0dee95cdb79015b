"""Inherited sockets without TLS: Unix or loopback, and trusted."""

import socket
from pathlib import Path

import pytest

from service.sockets import InheritedSocketError, check_inherited


def _check(one: socket.socket, *, unix: bool = True, loopback: bool = True) -> None:
    check_inherited(
        ["127.0.0.1:1", f"fd://{one.fileno()}"], trusts_unix=unix, trusts=lambda _: loopback
    )


def test_a_trusted_unix_socket(tmp_path: Path) -> None:
    """Accepted; refused where [proxy] does not trust Unix sockets."""
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(tmp_path / "s"))
        _check(one)
        with pytest.raises(InheritedSocketError, match="trusted"):
            _check(one, unix=False)


def test_a_trusted_loopback_socket() -> None:
    """Accepted; refused where its peers are not trusted."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        _check(one)
        with pytest.raises(InheritedSocketError, match=r"127\.0\.0\.1"):
            _check(one, loopback=False)


def test_a_public_socket() -> None:
    """Refused, whichever peers are trusted."""
    with socket.create_server(("0.0.0.0", 0)) as one, pytest.raises(InheritedSocketError):  # noqa: S104
        _check(one)


def test_a_descriptor_that_is_not_a_socket(tmp_path: Path) -> None:
    """Refused: a file, and a closed descriptor."""
    with (
        (tmp_path / "file").open("w") as file,
        pytest.raises(InheritedSocketError, match="is not a socket"),
    ):
        check_inherited([f"fd://{file.fileno()}"], trusts_unix=True, trusts=lambda _: True)
    with pytest.raises(InheritedSocketError, match="is not a socket"):
        check_inherited(["fd://999"], trusts_unix=True, trusts=lambda _: True)
