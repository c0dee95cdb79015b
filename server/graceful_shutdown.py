"""The end of a serving process: nobody whose connection it has taken leaves without an answer."""

import asyncio
from typing import ClassVar

from hypercorn.asyncio.lifespan import Lifespan
from hypercorn.asyncio.worker_context import EventWrapper, WorkerContext

from server.connection_limit import keep
from server.connections import HardenedTCPServer

_LOOK_S, _EMPTY_LOOKS = 0.01, 3
_STEPS = 3  # of the event loop, from accept() to a transport


async def _accept_no_more() -> None:
    """Leave who comes now in the queue, and let who was accepted become a connection.

    asyncio drops whom it has accepted in the very step before its server is closed: the transport
    cannot be attached any more (CPython's asyncio/base_events.py, Server._attach).
    """
    loop = asyncio.get_running_loop()
    for listener in HardenedTCPServer.gate.listening:
        loop.remove_reader(listener)
    for _ in range(_STEPS):
        await asyncio.sleep(0)


class _Terminated(EventWrapper):
    """The moment a process stops serving: clients are told, and stuck ones get a last date."""

    async def set(self) -> None:
        await _accept_no_more()
        await super().set()
        loop = asyncio.get_running_loop()
        HardenedLifespan.last_date = loop.time() + HardenedTCPServer.linger_s
        for server in tuple(HardenedTCPServer.gate.live):
            if server.asked:  # of others one request is taken: _idle_timeout
                # Each on its own: one client that doesn't read holds up nobody's farewell.
                keep(loop.create_task(server.go_away()))
            # Since Python 3.12 Server.wait_closed, which Hypercorn awaits before it looks at
            # graceful_timeout, waits for connections too.
            loop.call_later(
                server.config.graceful_timeout + HardenedTCPServer.linger_s, server.abort
            )


class HardenedLifespan(Lifespan):
    """Hypercorn's notion of the application's life, which ends after its last connection.

    Stock waits for the connections there are when it stops listening, not for those whose
    handshake is under way then: until Python 3.12 it drops them.
    """

    last_date: ClassVar[float] = 0
    """When the loop stops waiting for handshakes."""

    async def wait_for_shutdown(self) -> None:
        """Let who has been accepted in, and out; then end the application."""
        gate = HardenedTCPServer.gate
        graceful_s = self.config.graceful_timeout
        empty = 0  # times in a row: between handshake and first step a connection is not seen
        while empty < _EMPTY_LOOKS and self.loop.time() < self.last_date + graceful_s:
            handshakes = gate.handshakes if self.loop.time() < self.last_date else 0
            empty = 0 if gate.live or handshakes else empty + 1
            await asyncio.sleep(_LOOK_S)
        await super().wait_for_shutdown()


class _Terminate(EventWrapper):
    """What Hypercorn waits for as soon as it serves."""

    async def wait(self) -> None:
        HardenedTCPServer.gate.serving()
        await super().wait()


class HardenedWorkerContext(WorkerContext):
    """Hypercorn's notion of its process, with a beginning, and an end that says goodbye."""

    def __init__(self, max_requests: int | None) -> None:
        super().__init__(max_requests)
        self.terminate = _Terminate()
        self.terminated = _Terminated()
