"""How many connections there are, and the most that are taken."""

import asyncio
import socket
import ssl
import weakref
from collections.abc import Sequence
from typing import Any, Protocol

from hypercorn.config import Config

ACCEPTED_IN_ONE_TURN = 8


class Connection(Protocol):
    """What the gate has to know of a connection."""

    certificate: bytes | None
    config: Any
    asked: bool

    async def retire(self) -> None:
        """Finish what is under way and take nothing more."""

    async def go_away(self) -> None:
        """Tell the client that no further request is taken."""

    def abort(self) -> None:
        """Close without waiting for anything."""


class ConnectionLimit:
    """The connections of this process, and the most it takes (Hypercorn #81: it takes any)."""

    def __init__(self, max_connections: int) -> None:
        self.max_connections = max_connections
        self._handshakes: weakref.WeakSet[ssl.SSLObject] = weakref.WeakSet()
        self.live: set[Connection] = set()
        self.listening: Sequence[socket.socket] = ()
        self._backlog = 0
        self.generation = 1
        self._generations: weakref.WeakKeyDictionary[ssl.SSLContext, int] = (
            weakref.WeakKeyDictionary()
        )
        self.refused = 0
        """How many were turned away since the start."""

    def listen(self, config: Config, sockets: Sequence[socket.socket]) -> None:
        """Remember what is listened on, and have asyncio accept a few connections at a turn.

        It takes the backlog for that number, too: five hundred accepted at once hold everybody up
        for the time of fifty answers.
        """
        self.listening = sockets
        self._backlog = config.backlog
        config.backlog = min(config.backlog, ACCEPTED_IN_ONE_TURN)

    def serving(self) -> None:
        """Let the kernel hold as many connections as it should, now that asyncio has begun."""
        for listener in self.listening:
            listener.listen(self._backlog)

    @property
    def handshakes(self) -> int:
        """How many are under way."""
        return len(self._handshakes)

    @property
    def full(self) -> bool:
        """Whether one more would be too many; handshakes under way count."""
        return len(self.live) + self.handshakes >= self.max_connections

    def handshake_begins(self, connection: ssl.SSLObject) -> None:
        """Count a handshake.

        Raises: ssl.SSLError if there are too many connections already: asyncio and uvloop both
        close the socket on it without a word in the log.
        """
        if connection in self._handshakes:
            return
        if self.full:
            self.refused += 1
            raise ssl.SSLError("too many connections")
        self._handshakes.add(connection)

    def handshake_ends(self, connection: ssl.SSLObject) -> None:
        """Count a handshake no longer; one whose client left goes with its object."""
        self._handshakes.discard(connection)

    def hold(self, connection: ssl.SSLObject) -> None:
        """Count a connection that is still being closed, until `handshake_ends`."""
        self._handshakes.add(connection)

    def verified_by(self, context: ssl.SSLContext, generation: int) -> None:
        """Note which generation of authorities a context verifies certificates by."""
        self._generations[context] = generation

    def is_current(self, context: ssl.SSLContext) -> bool:
        """Whether that generation is still the one that is trusted."""
        return self._generations.get(context, self.generation) == self.generation

    def trust(self, generation: int) -> None:
        """Let every connection that showed a certificate end: it was taken on old terms."""
        if generation == self.generation:
            return
        self.generation = generation
        loop = asyncio.get_running_loop()
        for connection in tuple(self.live):
            if connection.certificate is not None:
                keep(loop.create_task(connection.retire()))

    def ssl_object_class(self) -> type[ssl.SSLObject]:
        """Make the class by which an SSLContext counts its handshakes here."""
        gate = self

        class CountedSSLObject(ssl.SSLObject):
            def do_handshake(self) -> None:
                gate.handshake_begins(self)
                try:
                    super().do_handshake()
                except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                    raise  # still under way
                except ssl.SSLError:
                    gate.handshake_ends(self)
                    raise
                gate.handshake_ends(self)

        return CountedSSLObject


_farewells: set[asyncio.Task[None]] = set()


def keep(farewell: asyncio.Task[None]) -> None:
    """Hold a task until it is done: the loop itself does not."""
    _farewells.add(farewell)
    farewell.add_done_callback(_farewells.discard)
