"""What an HTTP/2 client may send beside requests and bodies, counted before it is parsed."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import IntEnum
from typing import Any, Final

import h2.exceptions
from h2.connection import ConnectionState
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError
from hypercorn.events import Closed, Event, RawData
from hypercorn.protocol.h2 import H2Protocol

from server.closures import Closure, Closures
from server.http2_headers import HARD_LIMIT_FACTOR
from server.network_limit import FRAME_BURST_S, NetworkLimit
from server.probes import override

USES = (
    "h2.connection:H2Connection.state_machine",
    "h2.exceptions:ProtocolError.error_code",
    "hypercorn.protocol.h2:H2Protocol._flush(self)",
    "h2.connection:H2Connection.highest_inbound_stream_id",
    "hypercorn.protocol.h2:H2Protocol._handle_events(self, events)",
)

PREFACE_BYTES = 24
FRAME_HEADER_BYTES = 9
STREAM_ID = 2**31 - 1  # the bits of a frame header's last four bytes that are the stream
FRAMES_PER_ITERATION = 8
REQUEST_WEIGHT = 8
"""Frames of a connection that are handled in one iteration of the event loop; a request counts as
several: a read of 64 KiB can hold four thousand requests or seven thousand PINGs."""

SMALL_DATA_BYTES = 256
BYTES_PER_FRAME = 4096
"""Every so many bytes sent to a client earn it a frame: it has to open its windows again."""

FREE_FRAMES = 30
"""What a connection may send beside what its subnet shares: the frames that open it, and more."""

REQUEST_EARNS = 2
STREAMS_PER_FRAME = 8
"""Opening the windows of all streams costs a frame for each so many that wait to send."""
RESET_COST: Final = 10
DISCONNECT_COST: Final = 100
"""A connection closed for a protocol error has cost a handshake, at least."""

SETTINGS_COST = 10
"""SETTINGS may change the window of every stream."""


class FrameType(IntEnum):
    """The types of frames that are counted differently (RFC 9113, section 6)."""

    DATA = 0
    HEADERS = 1
    RST_STREAM = 3
    SETTINGS = 4
    CONTINUATION = 9


class ProtocolAbuse(ProtocolError):
    """A client sends more frames, or a longer header block, than any honest client."""

    error_code = ErrorCodes.ENHANCE_YOUR_CALM


class FrameBudget:
    """The control frames that a connection may send: so many a second, with a burst of ten seconds.

    PING, SETTINGS, RST_STREAM, PRIORITY, WINDOW_UPDATE, tiny DATA and CONTINUATION frames: each
    costs its client next to nothing and the server a parser's time (CVE-2019-9511 to 9518,
    CVE-2023-44487, CVE-2025-8671). A request earns the frames that usually come with one.
    `consume_shared` returns what the connection's subnet has left of so many frames: opening
    another connection brings no other budget. `is_answered` tells whether the response of a stream
    is complete: then a reset, by which a client stops an upload that was refused, saves no work and
    costs as much as any other frame.
    """

    def __init__(
        self,
        frames_per_s: float,
        header_bytes: int,
        consume_shared: Callable[[float], float] = lambda frames: frames,
        is_answered: Callable[[int], bool] = lambda _stream_id: False,
    ) -> None:
        self._frames_per_s = frames_per_s
        self._burst = frames_per_s * FRAME_BURST_S
        self._consume_shared = consume_shared
        self._is_answered = is_answered
        self._left = self._burst
        self._free: float = FREE_FRAMES
        self._header_bytes = header_bytes
        self._refilled_at = time.monotonic()
        self._skip = PREFACE_BYTES
        self._partial_header = b""  # of a frame
        self._block_bytes = 0  # of the header block that is being received

    def split(self, data: bytes) -> Iterator[bytes]:
        """Yield `data` in pieces of a few frames, one for each iteration of the event loop.

        Raises:
            ProtocolAbuse: the next piece exceeds the budget.

        """
        self._refill()
        start = len(self._partial_header)  # it has been yielded already
        data = self._partial_header + data
        at, weight = self._skip, 0
        while at + FRAME_HEADER_BYTES <= len(data):
            length, kind = int.from_bytes(data[at : at + 3]), data[at + 3]
            self._count(kind, length, int.from_bytes(data[at + 5 : at + 9]) & STREAM_ID)
            at += FRAME_HEADER_BYTES + length
            weight += REQUEST_WEIGHT if kind == FrameType.HEADERS else 1
            if weight >= FRAMES_PER_ITERATION and at < len(data):
                yield data[start:at]
                start, weight = at, 0
        self._partial_header = data[at:]
        self._skip = max(0, at - len(data))
        yield data[start:]

    def consume(self, frames: float) -> None:
        """Take frames off the budget.

        Raises:
            ProtocolAbuse: so many are not left.

        """
        self._left -= frames
        free = min(self._free, frames)
        self._free -= free
        shared = frames - free
        if self._left < 0 or self._consume_shared(shared) < shared:
            raise ProtocolAbuse("too many control frames")

    def earn_by_sending(self, sent_bytes: int) -> None:
        """Let a client open its windows again for what it was sent."""
        self._earn(sent_bytes / BYTES_PER_FRAME)

    def _earn(self, frames: float) -> None:
        self._left = min(self._burst, self._left + frames)
        self._free = min(self._burst, self._free + frames)

    def _refill(self) -> None:
        now = time.monotonic()
        self._left += (now - self._refilled_at) * self._frames_per_s
        self._left = min(self._burst, self._left)
        self._refilled_at = now

    def _count(self, kind: int, length: int, stream_id: int) -> None:
        match kind:
            case FrameType.HEADERS:
                self._block_bytes = length
                self._earn(REQUEST_EARNS)
            case FrameType.CONTINUATION:
                self._block_bytes += length
                self.consume(1)
            case FrameType.DATA:
                self.consume(1 if length < SMALL_DATA_BYTES else 0)
            case FrameType.RST_STREAM:
                self.consume(1 if self._is_answered(stream_id) else RESET_COST)
            case FrameType.SETTINGS:
                self.consume(SETTINGS_COST)
            case _:
                self.consume(1)
        if self._block_bytes > self._header_bytes:
            raise ProtocolAbuse("a header block that is too long")


class FloodGuardedH2Protocol(H2Protocol):
    """Hypercorn's HTTP/2 connection, handled a few frames at a time, and closed on a flood."""

    def __init__(self, *args: Any, network_limit: NetworkLimit, control_frames_per_s: float,
                 closures: Closures) -> None:  # fmt: skip
        super().__init__(*args)
        self.closures = closures
        self._network_limit = network_limit
        most = self.config.h2_max_header_list_size * HARD_LIMIT_FACTOR
        self.budget = FrameBudget(
            control_frames_per_s, most, self._consume_shared, self._is_answered
        )

    def _consume_shared(self, frames: float) -> float:
        # Usually 0 frames, and looking the subnet up has a cost.
        if not frames or self.client is None:
            return frames
        return self._network_limit.consume(self.client[0], frames)

    def _is_answered(self, stream_id: int) -> bool:
        begun = stream_id <= self.connection.highest_inbound_stream_id
        return begun and stream_id not in self.streams and stream_id not in self.stream_buffers

    @override
    async def handle(self, event: Event) -> None:
        """Handle what was received, a few frames in each iteration; end an abusive connection."""
        if not isinstance(event, RawData):
            if isinstance(event, Closed) and not self.closed:
                self._consume_shared(RESET_COST * len(self.streams))  # disconnecting resets them
            await super().handle(event)
            return
        try:
            for number, piece in enumerate(self.budget.split(event.data)):
                if number:
                    await asyncio.sleep(0)
                if self.closed or self.connection.state_machine.state is ConnectionState.CLOSED:
                    return
                await self._handle_events(self.connection.receive_data(piece))
        except h2.exceptions.ProtocolError as error:
            await self._disconnect(error)

    async def _disconnect(self, error: h2.exceptions.ProtocolError) -> None:
        """Send GOAWAY, and charge the client's subnet: the client can reconnect at once."""
        self.closures.count(Closure.FLOOD)
        self._consume_shared(DISCONNECT_COST)
        if self.connection.state_machine.state is not ConnectionState.CLOSED:  # else h2 sends it
            with suppress(h2.exceptions.ProtocolError):
                self.connection.close_connection(error.error_code)
        await self.handle(Closed())
        await self._flush()
        await self.send(Closed())

    @override
    async def _close_stream(self, stream_id: int) -> None:
        if self.closed:  # a client that disconnects may leave a hundred handlers to cancel
            await asyncio.sleep(0)
        await super()._close_stream(stream_id)
