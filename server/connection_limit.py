"""The connections of a serving process, and the most it accepts."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.typing import AppWrapper, LifespanState

from server.fair_queue import FairQueue
from server.flow_control import RetainedWindows
from server.handshakes import HandshakeQueue
from server.network_limit import NetworkLimit
from server.options import ServerOptions
from server.refusals import Refusals


class LimitedConnection(Protocol):
    """What the limit has to know of a connection."""

    certificate: bytes | None
    established: bool
    has_requested: bool

    async def drain(self) -> None:
        """Finish the open requests and accept no more."""

    async def go_away(self) -> None:
        """Tell the client that no further request is accepted."""

    async def close(self) -> None:
        """End what is left of the requests, and close."""

    def abort(self) -> None:
        """Close without waiting for anything."""


class ConnectionLimit:
    """The connections of this process, and the most it accepts (Hypercorn #81: no limit).

    A connection counts from its acceptance until its socket is closed, TLS handshake included.
    """

    def __init__(self, max_connections: int) -> None:
        self.max_connections = max_connections
        self.connections: set[LimitedConnection] = set()
        self.generation: int | None = None
        """The generation of client CAs in force."""
        self.refused = 0
        """How many connections were refused since the start."""
        self._drains: set[asyncio.Task[None]] = set()

    @property
    def is_full(self) -> bool:
        """Whether one more connection would be too many."""
        return len(self.connections) >= self.max_connections

    @property
    def established(self) -> int:
        """How many connections are past their TLS handshake."""
        return sum(connection.established for connection in self.connections)

    def close_verified_before(self, generation: int) -> None:
        """Drain connections whose client certificate was verified by CAs of another generation."""
        if generation == self.generation:
            return
        self.generation = generation
        for connection in tuple(self.connections):
            if connection.certificate is not None:
                drain = asyncio.get_running_loop().create_task(connection.drain())
                self._drains.add(drain)  # the event loop itself does not hold its tasks
                drain.add_done_callback(self._drains.discard)


class Limits:
    """What all connections of an installed server share, made from its options."""

    def __init__(self, options: ServerOptions) -> None:
        self.connections = ConnectionLimit(options.max_connections)
        self.network = NetworkLimit(
            max_connections=options.max_connections_per_address,
            new_per_s=options.new_connections_per_s,
            frames_per_s=options.control_frames_per_s,
            subnet_of=options.subnet_of,
        )
        self.fair_queue = FairQueue(options.subnet_of)
        self.handshakes = HandshakeQueue()
        self.retained_windows = RetainedWindows()
        self.refusals = Refusals()


@dataclass(frozen=True, slots=True)
class Worker:
    """A serving process: the application, Hypercorn's part of it, options and limits."""

    app: AppWrapper
    config: Config
    context: WorkerContext
    state: LifespanState
    options: ServerOptions
    limits: Limits
