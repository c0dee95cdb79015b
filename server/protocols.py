"""The protocol of a connection: HTTP/2 if TLS has negotiated it, otherwise HTTP/1.1."""

import ssl
from collections.abc import Awaitable, Callable

from hypercorn.events import Event
from hypercorn.typing import ConnectionState, TaskGroup

from server.connection_limit import Worker
from server.http1 import HardenedH11Protocol
from server.http2 import HardenedH2Protocol

Address = tuple[str, int] | None
Protocol = HardenedH11Protocol | HardenedH2Protocol


def make_protocol(
    worker: Worker,
    tasks: TaskGroup,
    state: ConnectionState,
    secured: ssl.SSLObject | None,
    *,
    addresses: tuple[Address, Address],
    send: Callable[[Event], Awaitable[None]],
) -> Protocol:
    """Return the protocol of a connection; `addresses` are the client's and the server's."""
    hypercorns = (
        worker.app,
        worker.config,
        worker.context,
        tasks,
        state,
        secured is not None,
        *addresses,
        send,
    )
    limits = worker.limits
    if secured is not None and secured.selected_alpn_protocol() == "h2":
        return HardenedH2Protocol(
            *hypercorns,
            options=worker.options,
            network_limit=limits.network,
            fair_queue=limits.fair_queue,
            retained_windows=limits.retained_windows,
            refusals=limits.refusals,
            closures=limits.closures,
            drain=limits.drain,
        )
    return HardenedH11Protocol(
        *hypercorns,
        options=worker.options,
        fair_queue=limits.fair_queue,
        refusals=limits.refusals,
        drain=limits.drain,
    )
