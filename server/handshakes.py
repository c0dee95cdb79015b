"""TLS handshakes as asyncio makes them: a few at a turn of the loop, and forgotten when they end.

A handshake takes a millisecond (an RSA-4096 key's five) of the one thread that serves everybody.
asyncio makes all whose bytes have come in one turn: who opens a thousand connections stops every
answer for a second.
"""

import asyncio
import asyncio.sslproto
from asyncio.sslproto import SSLProtocolState
from collections import deque
from functools import wraps
from typing import Any

from server.connection_limit import ConnectionLimit
from server.network_limit import NetworkLimit

HANDSHAKES_IN_ONE_TURN = 2

_connection_made = asyncio.sslproto.SSLProtocol.connection_made
_connection_lost = asyncio.sslproto.SSLProtocol.connection_lost
_do_handshake: Any = asyncio.sslproto.SSLProtocol._do_handshake  # type: ignore[attr-defined]  # noqa: SLF001


class Handshakes:
    """What of SSLProtocol is replaced; clients' ends (a storage's connection) are as they were."""

    def __init__(self, gate: ConnectionLimit, network_limit: NetworkLimit) -> None:
        self._gate = gate
        self._newcomers = network_limit
        self._waiting: deque[Any] = deque()
        self._left = HANDSHAKES_IN_ONE_TURN
        self._planned = False

    def apply(self) -> None:
        """Replace them."""
        protocol: Any = asyncio.sslproto.SSLProtocol

        @wraps(_connection_made)
        def connection_made(self_: Any, transport: Any) -> None:
            self._arrive(self_, transport)

        @wraps(_do_handshake)
        def do_handshake(self_: Any) -> None:
            self._step(self_)

        @wraps(_connection_lost)
        def connection_lost(self_: Any, error: Exception | None) -> None:
            self._end(self_, error)

        protocol.connection_made = connection_made
        protocol._do_handshake = do_handshake  # noqa: SLF001
        protocol.connection_lost = connection_lost

    def _arrive(self, protocol: Any, transport: Any) -> None:
        """Begin with who may come in; close on others before a handshake has cost anything."""
        peer = transport.get_extra_info("peername")
        if not protocol._server_side or not isinstance(peer, tuple):  # noqa: SLF001
            _connection_made(protocol, transport)
        elif self._newcomers.enter(peer[0]):
            protocol.sealed_peer = peer[0]
            _connection_made(protocol, transport)
        else:
            self._gate.refused += 1
            transport.abort()

    def _step(self, protocol: Any) -> None:
        """Go on with a handshake, in this turn or in a later one."""
        if not protocol._server_side or not protocol._incoming.pending:  # noqa: SLF001
            _do_handshake(protocol)
            return
        self._waiting.append(protocol)
        if not self._planned:
            self._go_on()

    def _go_on(self) -> None:
        self._planned = False
        self._left = HANDSHAKES_IN_ONE_TURN
        while self._waiting and self._left:
            protocol = self._waiting.popleft()
            if protocol._state is SSLProtocolState.DO_HANDSHAKE:  # noqa: SLF001
                self._left -= 1
                _do_handshake(protocol)
        if self._left < HANDSHAKES_IN_ONE_TURN:
            self._planned = True
            asyncio.get_running_loop().call_soon(self._go_on)

    def _end(self, protocol: Any, error: Exception | None) -> None:
        """End a TLS connection, and with it its handshake and its buffer.

        Both would live on, in a cycle, until they are collected: a client that left in its
        handshake would keep its place, and a thousand that come and go would leave 64 MB behind.
        """
        _connection_lost(protocol, error)
        if protocol._sslobj is not None:  # noqa: SLF001
            self._gate.handshake_ends(protocol._sslobj)  # noqa: SLF001
        protocol._ssl_buffer, protocol._ssl_buffer_view = bytearray(), memoryview(b"")  # noqa: SLF001
        protocol._incoming.read()  # noqa: SLF001
        peer = protocol.__dict__.pop("sealed_peer", None)
        if peer is not None:
            self._newcomers.leave(peer)
