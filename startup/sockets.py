"""Sockets that were handed over: whether plain HTTP may be spoken there."""

import ipaddress
import os
import socket
from collections.abc import Callable, Iterable


class InheritedSocketError(Exception):
    """A socket would carry plain HTTP to other machines, or to somebody who is not trusted."""


def check_inherited(
    binds: Iterable[str], *, trusts_unix: bool, trusts: Callable[[str], bool]
) -> None:
    """Check that each `fd://N` is a Unix or loopback socket whose peers `[proxy]` trusts.

    Raises:
        InheritedSocketError: one is not, or is no socket.

    """
    for bind in binds:
        if not bind.startswith("fd://"):
            continue
        try:
            with socket.socket(fileno=os.dup(int(bind.removeprefix("fd://")))) as inherited:
                family, name = inherited.family, inherited.getsockname()
        except OSError as error:
            raise InheritedSocketError(f"{bind} is no socket: {error.strerror}") from None
        if family == socket.AF_UNIX and trusts_unix:
            continue
        if (
            family != socket.AF_UNIX
            and ipaddress.ip_address(name[0].partition("%")[0]).is_loopback
            and trusts(name[0])
        ):
            continue
        raise InheritedSocketError(
            f"{bind} is {name if family == socket.AF_UNIX else name[0]!r}, and without certfile "
            "plain HTTP is spoken there: it must be a Unix socket or loopback, and [proxy] trusted "
            "must name it"
        )


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback
