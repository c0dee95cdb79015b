"""The closed list of what is replaced in the libraries: two names.

Hypercorn looks its `worker_serve` up after it has imported the application, so that installing when
the application is created is early enough. All other changes are subclasses that `worker_serve`
constructs.
"""

from collections import Counter
from typing import Any

import hypercorn.asyncio.run
import hyperframe.frame

from server.options import ServerOptions
from server.serving import Server

USES = (
    "hypercorn.asyncio.run:worker_serve(app, config, sockets, shutdown_trigger)",
    "hyperframe.frame:Frame._body_repr",
)


class ServerHandle:
    """What the application may ask of the server it runs on, and have it do."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def renew_context(self) -> None:
        """Give new connections a new TLS context, made from the certificate's files as they are.

        Nothing changes without TLS, or before the server has started.

        Raises:
            OSError: a file is missing, or cannot be used (ssl.SSLError).

        """
        if self._server.context is not None:
            self._server.context.renew()

    def close_verified_before(self, generation: int) -> None:
        """Close connections whose client certificate was verified by CAs of another generation."""
        self._server.limits.connections.close_verified_before(generation)

    @property
    def is_draining(self) -> bool:
        """Whether the process is to end, and accepts new connections meanwhile."""
        return self._server.limits.drain.has_begun

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return self._server.limits.connections.established

    @property
    def accepted_connections(self) -> int:
        """How many connections are open or in their TLS handshake."""
        return len(self._server.limits.connections.connections)

    @property
    def closures(self) -> Counter[str]:
        """How many connections were refused or closed, by why (`server.closures.Closure`)."""
        return Counter(self._server.limits.closures.counts)

    @property
    def refused_requests(self) -> Counter[str]:
        """How many requests were refused since the start, by why (`server.refusals.Refusal`)."""
        return Counter(self._server.limits.refusals.counts)


def apply(options: ServerOptions) -> ServerHandle:
    """Replace the names in this process, by what serves with these options."""
    server = Server(options)
    run: Any = hypercorn.asyncio.run  # mypy holds functions of a module to be constant
    run.worker_serve = server.serve
    # h2 describes every frame to a log that is off, and the description of a DATA frame copies
    # and hexlifies its whole body before it keeps twenty characters (h2's connection.py:1543).
    data_frame: Any = hyperframe.frame.DataFrame
    data_frame._body_repr = describe_body  # noqa: SLF001
    return ServerHandle(server)


def describe_body(frame: hyperframe.frame.DataFrame) -> str:
    """Describe the body of a DATA frame by its length."""
    return f"data=<{len(frame.data)} bytes>"
