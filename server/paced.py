"""HTTP/2 connections whose frames are handled a few at a turn, and so many a second."""

import asyncio
from contextlib import suppress
from typing import Any, ClassVar

import h2.exceptions
from h2.connection import ConnectionState
from hypercorn.events import Closed, Event, RawData
from hypercorn.protocol.h2 import H2Protocol

from server.flood_guard import CUT_OFF_COSTS, RESET_COSTS, FrameBudget
from server.network_limit import NetworkLimit


class FloodGuardedH2Protocol(H2Protocol):
    """Hypercorn's HTTP/2 connection, which one client can't fill the event loop with."""

    control_frames_per_s: ClassVar[float]
    network_limit: ClassVar[NetworkLimit]

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        head_bytes = self.config.h2_max_header_list_size
        self.budget = FrameBudget(self.control_frames_per_s, head_bytes, self._draw)

    def _draw(self, frames: float) -> float:
        # Nothing to draw is the rule, and drawing looks the network up.
        if not frames or self.client is None:
            return frames
        return self.network_limit.draw(self.client[0], frames)

    async def handle(self, event: Event) -> None:
        """Pass on what came from the socket, a few frames a turn; end who breaks the rules."""
        if not isinstance(event, RawData):
            if isinstance(event, Closed) and not self.closed:
                self._draw(RESET_COSTS * len(self.streams))  # who leaves has taken them back
            await super().handle(event)
            return
        try:
            for turn, piece in enumerate(self.budget.pieces(event.data)):
                if turn:
                    await asyncio.sleep(0)
                if self.closed or self.connection.state_machine.state is ConnectionState.CLOSED:
                    return
                await self._handle_events(self.connection.receive_data(piece))
        except h2.exceptions.ProtocolError as error:
            await self._cut_off(error)

    async def _cut_off(self, error: h2.exceptions.ProtocolError) -> None:
        """Say goodbye, and let the client's network pay for it: it can come again at once."""
        self._draw(CUT_OFF_COSTS)
        if self.connection.state_machine.state is not ConnectionState.CLOSED:  # h2 has not said so
            with suppress(h2.exceptions.ProtocolError):
                self.connection.close_connection(error.error_code)
        await self.handle(Closed())
        await self._flush()
        await self.send(Closed())

    async def _close_stream(self, stream_id: int) -> None:
        if self.closed:  # who leaves a hundred requests behind leaves as many handlers to end
            await asyncio.sleep(0)
        await super()._close_stream(stream_id)
