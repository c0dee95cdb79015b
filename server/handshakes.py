"""A few TLS handshake steps in each iteration of the event loop.

A step takes a millisecond (with an RSA-4096 key five) of the one thread that serves all clients.
asyncio makes all whose bytes have arrived in one iteration: a client that opens a thousand
connections would delay every response by a second.
"""

import asyncio
from collections import deque

HANDSHAKES_PER_ITERATION = 2


class HandshakeQueue:
    """Lets a few handshake steps run in each iteration of the event loop, in order of arrival."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._left = HANDSHAKES_PER_ITERATION
        self._scheduled = False

    async def acquire(self) -> None:
        """Wait until the next step of a handshake may run."""
        if self._left and not self._waiting:
            self._start()
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await turn

    def _start(self) -> None:
        self._left -= 1
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        self._scheduled = False
        self._left = HANDSHAKES_PER_ITERATION
        while self._waiting and self._left:
            turn = self._waiting.popleft()
            if not turn.done():  # it is done if the connection was closed meanwhile
                turn.set_result(None)
                self._start()
