"""Messages between parent and child: a small JSON object, with descriptors beside it.

A SOCK_SEQPACKET socket pair keeps messages whole: there is no framing, and one read returns one
message with its descriptors. Both ends use this file and neither trusts the other: a message that
is truncated, too large or not an object is an error of its sender. Descriptors are only sent to
children; the parent's end accepts none.
"""

import contextlib
import json
import os
import select
import socket
from collections.abc import Iterable
from typing import Any

Message = dict[str, Any]

_MESSAGE_BYTES = 16_384


class ChannelError(Exception):
    """The other end sent something that is no message; it must not be used any more."""


class Channel:
    """One end of the socket pair; it blocks if its socket does.

    A message may bring at most `max_descriptors`.
    """

    def __init__(self, end: socket.socket, *, max_descriptors: int) -> None:
        self._end = end
        self._max_descriptors = max_descriptors

    def fileno(self) -> int:
        """Return the socket's descriptor, for event loops."""
        return self._end.fileno()

    def send(self, message: Message, *descriptors: int) -> None:
        """Send a message with copies of the descriptors; the caller still closes its own.

        Raises:
            OSError: the other end is closed.
            ValueError: the message is too large.

        """
        data = encode(message)
        if len(data) > _MESSAGE_BYTES:
            raise ValueError(f"a message of {len(data)} bytes; use a memory file for bulk data")
        if descriptors:
            socket.send_fds(self._end, [data], descriptors)
        else:
            self._end.send(data)

    def receive(self) -> tuple[Message, list[int]]:
        """Return the next message and its descriptors, which the caller must close.

        Raises:
            EOFError: the other end is closed.
            BlockingIOError: there is no message yet.
            ChannelError: what arrived is no message.

        """
        data, descriptors, flags, _ = socket.recv_fds(
            self._end, _MESSAGE_BYTES, self._max_descriptors, socket.MSG_CMSG_CLOEXEC
        )
        try:
            return _parse(data, flags), descriptors
        except (EOFError, ChannelError):
            close_all(descriptors)
            raise

    def readable(self) -> bool:
        """Return whether a message, or the end of the channel, can be received."""
        poll = select.poll()
        poll.register(self._end, select.POLLIN)
        return bool(poll.poll(0))

    def close(self) -> None:
        """Close this end; the other end's receive() then raises EOFError."""
        self._end.close()


def encode(message: Message) -> bytes:
    """Return a message as it is sent."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def decode(data: bytes) -> Message:
    """Return the message that was sent.

    Raises:
        ChannelError: the data is not a JSON object.

    """
    try:
        message = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ChannelError("a message that is not JSON") from error
    if not isinstance(message, dict):
        raise ChannelError("a message that is not an object")
    return message


def close_all(descriptors: Iterable[int]) -> None:
    """Close the descriptors that came with a message."""
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            os.close(descriptor)


def _parse(data: bytes, flags: int) -> Message:
    """Return a received message.

    Raises:
        EOFError: there is no data: the other end is closed.
        ChannelError: the message is truncated or is not a JSON object.

    """
    if not data:
        raise EOFError("the other end is closed")
    if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
        raise ChannelError("a truncated message")
    return decode(data)
