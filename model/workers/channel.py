"""One message: a small JSON object and, downwards only, descriptors beside it.

Spoken over a SOCK_SEQPACKET pair, which keeps messages whole: no framing to get out of step, and
one read takes one message with its descriptors. Both ends use this file; neither end trusts the
other, so a message that is cut, oversized or not an object is an error of its sender. Children
get descriptors and never give any: the parent's end takes none.
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
    """The other end said something that is no message; it is not to be talked to again."""


class Channel:
    """An end of the pair. Blocks or not as its socket does.

    `descriptors` is how many may come with a message.
    """

    def __init__(self, end: socket.socket, *, descriptors: int = 0) -> None:
        self._end = end
        self._descriptors = descriptors

    def fileno(self) -> int:
        """Return the socket's descriptor, for event loops."""
        return self._end.fileno()

    def send(self, message: Message, *descriptors: int) -> None:
        """Send a message with copies of the descriptors; the caller still closes its own.

        Raises OSError where the other end is gone, ValueError where the message is too large.
        """
        data = encode(message)
        if len(data) > _MESSAGE_BYTES:
            raise ValueError(f"a message of {len(data)} bytes; bulk data belongs in memory files")
        if descriptors:
            socket.send_fds(self._end, [data], descriptors)
        else:
            self._end.send(data)

    def receive(self) -> tuple[Message, list[int]]:
        """Return the next message and its descriptors, which the caller must close.

        Raises EOFError where the other end is gone, BlockingIOError where nothing has come,
        ChannelError where it is not a message.
        """
        data, descriptors, flags, _ = socket.recv_fds(
            self._end, _MESSAGE_BYTES, self._descriptors, socket.MSG_CMSG_CLOEXEC
        )
        try:
            return _parse(data, flags), descriptors
        except (EOFError, ChannelError):
            close_all(descriptors)
            raise

    def pending(self) -> bool:
        """Tell whether a message, or the other end's departure, waits to be received."""
        poll = select.poll()
        poll.register(self._end, select.POLLIN)
        return bool(poll.poll(0))

    def close(self) -> None:
        """Close this end; the other end's receive() raises EOFError from then on."""
        self._end.close()


def encode(message: Message) -> bytes:
    """Return the message as it is sent."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def decode(data: bytes) -> Message:
    """Return the object that was sent. Raises ChannelError."""
    try:
        message = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ChannelError("a message that is not JSON") from error
    if not isinstance(message, dict):
        raise ChannelError("a message that is not an object")
    return message


def close_all(descriptors: Iterable[int]) -> None:
    """Close descriptors that came with a message nobody wants."""
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            os.close(descriptor)


def _parse(data: bytes, flags: int) -> Message:
    """Return the object that came whole. Raises EOFError, ChannelError."""
    if not data:
        raise EOFError("the other end is gone")
    if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
        raise ChannelError("a cut message")
    return decode(data)
