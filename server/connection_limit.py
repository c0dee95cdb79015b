"""The connections of a serving process, and the most it accepts."""

import asyncio
import time
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.typing import AppWrapper, LifespanState

from server.closures import Closure, Closures
from server.drain import Drain
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


class Accepted(NamedTuple):
    """When a connection was accepted, by the monotonic clock, and its client's subnet."""

    at: float
    subnet: str | None


class ConnectionLimit:
    """The connections of this process, and the most it accepts (Hypercorn #81: no limit).

    A connection counts from its acceptance until its socket is closed, TLS handshake included.
    """

    def __init__(
        self, max_connections: int, *, evictable_s: float, closures: Closures | None = None
    ) -> None:
        self.max_connections = max_connections
        self._evictable_s = evictable_s
        self.connections: dict[LimitedConnection, Accepted] = {}
        """In the order of their acceptance."""
        self.generation: int | None = None
        """The generation of client CAs in force."""
        self.closures = closures or Closures()
        """How many connections were refused or closed since the start, by why."""
        self._drains: set[asyncio.Task[None]] = set()

    @property
    def is_full(self) -> bool:
        """Whether one more connection would be too many."""
        return len(self.connections) >= self.max_connections

    def evict(self, subnet: str | None) -> bool:
        """Close a connection that has never sent a request, for a new one of `subnet`.

        It is the oldest one of the subnet that has the most of them. Nothing is closed, and False
        returned, if `subnet` has about as many itself: reconnecting clients would only replace
        each other, with a handshake each time. What has sent no request for `evictable_s` is
        closed for any client.
        """
        silent: dict[str | None, list[LimitedConnection]] = {}
        for connection, accepted in self.connections.items():
            if not connection.has_requested:
                silent.setdefault(accepted.subnet, []).append(connection)
        if not silent:
            return False
        most = max(silent.values(), key=len)
        victim = most[0]
        idle_s = time.monotonic() - self.connections[victim].at
        if len(most) <= len(silent.get(subnet, ())) + 1 and idle_s < self._evictable_s:
            return False
        del self.connections[victim]
        self.closures.count(Closure.EVICTED)
        victim.abort()
        return True

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
        self.closures = Closures()
        self.connections = ConnectionLimit(
            options.max_connections, evictable_s=options.evictable_s, closures=self.closures
        )
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
        self.drain = Drain()


@dataclass(frozen=True, slots=True)
class Worker:
    """A serving process: the application, Hypercorn's part of it, options and limits."""

    app: AppWrapper
    config: Config
    context: WorkerContext
    state: LifespanState
    options: ServerOptions
    limits: Limits
