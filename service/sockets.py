"""Inherited sockets (`fd://N`): whether plain HTTP is allowed there."""

import os
import socket
from collections.abc import Callable, Iterable

from middleware.addresses import is_loopback
from service.start_refused import StartRefused


class InheritedSocketError(StartRefused):
    """An inherited socket would carry plain HTTP to other machines or to an untrusted peer."""

    locs = (("server", "bind"),)


def check_inherited(
    binds: Iterable[str], *, trusts_unix: bool, trusts: Callable[[str], bool]
) -> None:
    """Check that each `fd://N` is a Unix or loopback socket whose peers `[proxy]` trusts.

    Raises:
        InheritedSocketError: one is not, or is not a socket.

    """
    for bind in binds:
        if not bind.startswith("fd://"):
            continue
        try:
            with socket.socket(fileno=os.dup(int(bind.removeprefix("fd://")))) as inherited:
                family, name = inherited.family, inherited.getsockname()
        except OSError as error:
            raise InheritedSocketError(f"{bind} is not a socket: {error.strerror}") from None
        if family == socket.AF_UNIX and trusts_unix:
            continue
        if family != socket.AF_UNIX and is_loopback(name[0]) and trusts(name[0]):
            continue
        raise InheritedSocketError(
            f"{bind} is {name if family == socket.AF_UNIX else name[0]!r}, and without certfile "
            "it would carry plain HTTP: use a Unix or loopback socket, and name its peers in "
            "[proxy] trusted"
        )
