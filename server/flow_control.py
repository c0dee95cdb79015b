"""HTTP/2 flow control of what a server receives (RFC 9113, section 5.2)."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import h2.exceptions
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.settings import SettingCodes

from server.options import ServerOptions

LARGEST_WINDOW = 2**31 - 1
RETAINED_BYTES = 64 << 20  # of window, which all connections may retain for their next uploads


class ReceiveWindow:
    """How many bytes a peer may send ahead, and when to send it a WINDOW_UPDATE.

    What has been consumed is acknowledged once it is half the window, or half of `basis` where the
    window is larger: one WINDOW_UPDATE for many frames, and the sender never has to wait.
    """

    def __init__(self, size: int, basis: int = LARGEST_WINDOW) -> None:
        self.size = size
        self._basis = basis
        self._consumed = 0  # and not acknowledged yet
        self._excess = 0  # bytes of the window that will not be acknowledged

    def acknowledge(self, amount: int) -> int:
        """Return the increment to send, now that so many bytes have been consumed; often 0."""
        withheld = min(self._excess, amount)
        self._excess -= withheld
        self._consumed += amount - withheld
        if self._consumed * 2 < min(self.size, self._basis):
            return 0
        increment, self._consumed = self._consumed, 0
        return increment

    def grow(self, amount: int) -> int:
        """Enlarge the window; return by how much, which the largest legal window limits."""
        amount = max(0, min(amount, LARGEST_WINDOW - self.size))
        self.size += amount
        return amount

    def shrink(self, amount: int) -> None:
        """Reduce the window: an increment cannot be revoked, so less is acknowledged."""
        self.size -= amount
        self._excess += amount


class RetainedWindows:
    """The window bytes that the connections of a process retain for their next uploads."""

    def __init__(self) -> None:
        self._bytes: WeakKeyDictionary[FlowControl, int] = WeakKeyDictionary()

    def of(self, connection: "FlowControl") -> int:
        """Return how many bytes a connection retains."""
        return self._bytes.get(connection, 0)

    def retain(self, connection: "FlowControl", total: int) -> bool:
        """Have a connection retain `total` bytes; False if all together would be too many."""
        more = total - self.of(connection)
        if more <= 0 or sum(self._bytes.values()) + more > RETAINED_BYTES:
            return False
        self._bytes[connection] = total
        return True

    def release(self, connection: "FlowControl") -> None:
        """Have a connection retain nothing: it is closed."""
        self._bytes.pop(connection, None)


@dataclass(slots=True)
class _Upload:
    """The receiving half of one stream."""

    window: ReceiveWindow
    grown: int = 0  # by how much the connection's window is larger for it
    retained: int = 0  # of that, what stays when the stream has ended
    discarded: int = 0
    deadline: asyncio.TimerHandle | None = field(default=None, repr=False)


class FlowControl:
    """The receive windows of an HTTP/2 connection, and of those of its streams that still receive.

    `changed` is called when h2 has something to send, or an answered upload has ended.

    A client whose upload was given a large window may send its next upload as far ahead, without
    waiting a round trip: its connection retains that window, as far as RETAINED_BYTES allows.
    """

    def __init__(
        self,
        connection: H2Connection,
        options: ServerOptions,
        retained: RetainedWindows,
        changed: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._options = options
        self._retained = retained
        self._changed = changed
        # What is retained for the next upload must be open when it begins, not consumed.
        self._window = ReceiveWindow(
            connection.inbound_flow_control_window, options.connection_window_bytes
        )
        self._uploads: dict[int, _Upload] = {}

    @property
    def stream_ids(self) -> set[int]:
        """The streams whose client may still send."""
        return set(self._uploads)

    def open_connection(self) -> None:
        """Enlarge the connection's window: the protocol starts with 64 KiB."""
        if extra := self._window.grow(self._options.connection_window_bytes - self._window.size):
            self._connection.increment_flow_control_window(extra)

    def close_connection(self) -> None:
        """Forget all streams: the connection is closed."""
        for upload in self._uploads.values():
            if upload.deadline is not None:
                upload.deadline.cancel()
        self._uploads.clear()
        self._retained.release(self)

    def open_stream(self, stream_id: int) -> None:
        """Expect a body."""
        self._uploads[stream_id] = _Upload(ReceiveWindow(self._initial_window))

    def close_stream(self, stream_id: int) -> None:
        """Expect no more of a body."""
        upload = self._uploads.pop(stream_id, None)
        if upload is not None:
            self._window.shrink(upload.grown - upload.retained)
            if upload.deadline is not None:
                upload.deadline.cancel()
                self._changed()

    @property
    def _initial_window(self) -> int:
        """How far ahead a client may send on a stream that it opens."""
        return self._options.receive_window_bytes + self._retained.of(self)

    def _retain(self, upload: _Upload) -> None:
        """Let every upload of this connection begin with the window that this one has."""
        before = self._retained.of(self)
        if not self._retained.retain(self, upload.grown):
            return
        more = upload.grown - before
        upload.retained += more
        self._connection.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: self._initial_window})
        for each in self._uploads.values():  # open streams, too (RFC 9113, section 6.9.2)
            each.window.grow(more)

    def is_receiving(self, stream_id: int) -> bool:
        """Whether the client may still send on this stream."""
        stream = self._connection.streams.get(stream_id)
        return stream_id in self._uploads and stream is not None and not stream.closed

    def acknowledge(self, stream_id: int, amount: int) -> None:
        """Let the client send that many bytes more: they have been consumed or discarded."""
        # A protocol error here: the connection ended while a body was still being read.
        with suppress(h2.exceptions.ProtocolError):
            if increment := self._window.acknowledge(amount):
                self._connection.increment_flow_control_window(increment)
            if self.is_receiving(stream_id) and (
                increment := self._uploads[stream_id].window.acknowledge(amount)
            ):
                self._connection.increment_flow_control_window(increment, stream_id)
        self._changed()

    def grow_window(self, stream_id: int, window_bytes: int) -> None:
        """Let the client send that many bytes of this stream ahead.

        The connection's window grows by as much, so that one upload takes nothing from others; it
        shrinks when the stream has ended, but for what is retained for the next one.
        """
        if not self.is_receiving(stream_id):
            return
        upload = self._uploads[stream_id]
        initial = self._options.receive_window_bytes
        if extra := self._window.grow(window_bytes - initial - upload.grown):
            upload.grown += extra
            self._connection.increment_flow_control_window(extra)
            self._retain(upload)
        # At least a byte: Java 17's HttpClient does not see that SETTINGS have enlarged a window.
        missing = window_bytes - upload.window.size
        if extra := upload.window.grow(max(missing, window_bytes > initial)):
            self._connection.increment_flow_control_window(extra, stream_id)
        self._changed()

    def discard(self, stream_id: int, amount: int) -> None:
        """Discard body that arrives after its response, and acknowledge it.

        So a client that reads only after it has sent everything (httpx) gets its response, and the
        connection's window stays open.
        """
        self.acknowledge(stream_id, amount)
        upload = self._uploads.get(stream_id)
        if upload is not None:
            upload.discarded += amount
            if upload.discarded > self._options.discard_bytes:
                self._stop(stream_id)

    def response_sent(self, stream_id: int) -> None:
        """Limit the time that the client may go on sending after its response."""
        if self.is_receiving(stream_id):
            upload = self._uploads[stream_id]
            upload.deadline = upload.deadline or asyncio.get_running_loop().call_later(
                self._options.linger_s, self._stop, stream_id
            )

    def _stop(self, stream_id: int) -> None:
        # NO_ERROR tells the client to stop and to keep the response (RFC 9113, section 8.1).
        self.reset(stream_id, ErrorCodes.NO_ERROR)
        self._changed()

    def reset(self, stream_id: int, code: ErrorCodes) -> None:
        """End a stream by RST_STREAM."""
        # A protocol error here: the stream or the connection has ended already.
        with suppress(h2.exceptions.ProtocolError):
            self._connection.reset_stream(stream_id, code)
        self.close_stream(stream_id)
