"""The receiving side of an HTTP/2 connection: whose bodies come, how far ahead, how long still."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import ClassVar
from weakref import WeakKeyDictionary

import h2.exceptions
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.settings import SettingCodes

from server.receive_window import ReceiveWindow

REMEMBERED_BYTES = 64 << 20
"""How much room all connections of a process together may keep for uploads to come."""


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """How much of a body a client may send ahead, and how long we listen after a reply."""

    stream_window_bytes: int
    connection_window_bytes: int
    discard_bytes: int
    linger_s: float


@dataclass(slots=True)
class Upload:
    """The sending half of one client's stream."""

    window: ReceiveWindow
    grown: int = 0  # its connection's window, for it
    kept: int = 0  # of that, what stays when it is over
    discarded: int = 0
    deadline: asyncio.TimerHandle | None = field(default=None, repr=False)


class Uploads:
    """The request bodies that a connection's client has not ended yet.

    `changed` is called when h2 has something to send, or an upload that lingered is over.

    A client that was given room for one upload may send the next one as far ahead, without waiting
    a round trip for it: its connection keeps that room, as far as REMEMBERED_BYTES go.
    """

    _remembered: ClassVar["WeakKeyDictionary[Uploads, int]"] = WeakKeyDictionary()

    def __init__(
        self, connection: H2Connection, limits: UploadLimits, changed: Callable[[], None]
    ) -> None:
        self._connection = connection
        self._limits = limits
        self._changed = changed
        # What is kept for the next upload must be there when it begins, not owed.
        self._window = ReceiveWindow(
            connection.inbound_flow_control_window, limits.connection_window_bytes
        )
        self._uploads: dict[int, Upload] = {}

    @property
    def stream_ids(self) -> set[int]:
        """The streams whose client may still send."""
        return set(self._uploads)

    def open_connection(self) -> None:
        """Open the connection's window: 64 KiB is what the protocol starts with."""
        extra = self._window.grow(self._limits.connection_window_bytes - self._window.size)
        if extra:
            self._connection.increment_flow_control_window(extra)

    def begin(self, stream_id: int) -> None:
        """Expect a body."""
        self._uploads[stream_id] = Upload(ReceiveWindow(self._first_window))

    def end(self, stream_id: int) -> None:
        """Expect no more of a body."""
        upload = self._uploads.pop(stream_id, None)
        if upload is not None:
            self._window.shrink(upload.grown - upload.kept)
            if upload.deadline is not None:
                upload.deadline.cancel()
                self._changed()

    def stop_all(self) -> None:
        """Forget everything: the connection is gone."""
        for upload in self._uploads.values():
            if upload.deadline is not None:
                upload.deadline.cancel()
        self._uploads.clear()
        self._remembered.pop(self, None)

    @property
    def _first_window(self) -> int:
        """How far ahead a client may send on a stream it opens."""
        return self._limits.stream_window_bytes + self._remembered.get(self, 0)

    def _remember(self, upload: Upload) -> None:
        """Let every upload of this connection begin as far ahead as this one may be."""
        kept = self._remembered.get(self, 0)
        more = upload.grown - kept
        if more <= 0 or sum(self._remembered.values()) + more > REMEMBERED_BYTES:
            return
        self._remembered[self] = kept + more
        upload.kept += more
        self._connection.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: self._first_window})
        for each in self._uploads.values():  # of those under way, too (RFC 9113, section 6.9.2)
            each.window.grow(more)

    def receiving(self, stream_id: int) -> bool:
        """Whether the client may still send on this stream."""
        stream = self._connection.streams.get(stream_id)
        return stream_id in self._uploads and stream is not None and not stream.closed

    def give_back(self, stream_id: int, amount: int) -> None:
        """Let the client send that many bytes more, as they have been taken or dropped."""
        # A protocol error here: the connection ended while a body was still being read.
        with suppress(h2.exceptions.ProtocolError):
            if due := self._window.give_back(amount):
                self._connection.increment_flow_control_window(due)
            if self.receiving(stream_id) and (
                due := self._uploads[stream_id].window.give_back(amount)
            ):
                self._connection.increment_flow_control_window(due, stream_id)
        self._changed()

    def grow(self, stream_id: int, window_bytes: int) -> None:
        """Let the client have that many bytes of this stream under way.

        The connection's window grows along, so that one upload takes nothing from the others;
        it shrinks again when the stream is over, but for what is kept for the next one.
        """
        if not self.receiving(stream_id):
            return
        upload = self._uploads[stream_id]
        first = self._limits.stream_window_bytes + upload.grown
        if extra := self._window.grow(window_bytes - first):
            upload.grown += extra
            self._connection.increment_flow_control_window(extra)
            self._remember(upload)
        if extra := upload.window.grow(window_bytes - upload.window.size):
            self._connection.increment_flow_control_window(extra, stream_id)
        self._changed()

    def discard(self, stream_id: int, amount: int) -> None:
        """Drop body that comes after its reply, and give its room back.

        So a client that reads only once it has sent all (httpx does) gets its answer, and the
        connection's window doesn't run dry.
        """
        self.give_back(stream_id, amount)
        upload = self._uploads.get(stream_id)
        if upload is not None:
            upload.discarded += amount
            if upload.discarded > self._limits.discard_bytes:
                self._stop(stream_id)

    def answered(self, stream_id: int) -> None:
        """Listen on for a while, if the reply is out and the client still sends."""
        if self.receiving(stream_id):
            upload = self._uploads[stream_id]
            upload.deadline = upload.deadline or asyncio.get_running_loop().call_later(
                self._limits.linger_s, self._stop, stream_id
            )

    def _stop(self, stream_id: int) -> None:
        # NO_ERROR asks the client to stop and to keep the reply (RFC 9113, section 8.1).
        self.reset(stream_id, ErrorCodes.NO_ERROR)
        self._changed()

    def reset(self, stream_id: int, code: ErrorCodes) -> None:
        """End a stream from our side."""
        # A protocol error here: the stream or the connection is over already.
        with suppress(h2.exceptions.ProtocolError):
            self._connection.reset_stream(stream_id, code)
        self.end(stream_id)
