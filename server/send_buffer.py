"""A response's body on its way from the application to an HTTP/2 connection."""

from hypercorn.protocol.h2 import BUFFER_HIGH_WATER, StreamBuffer

from server.probes import override

USES = (
    "hypercorn.protocol.h2:StreamBuffer._is_empty",
    "hypercorn.protocol.h2:StreamBuffer._paused",
    "hypercorn.protocol.h2:StreamBuffer.buffer",
    "hypercorn.protocol.h2:StreamBuffer.push(self, data)",
)


class SendBuffer(StreamBuffer):
    """A buffer whose application waits while it is full.

    Hypercorn lets it go on whenever little was taken, as if little were left: for a client that
    opens no window, or a byte of it now and then, it buffers all that an application sends.
    """

    @override
    async def pop(self, max_length: int) -> bytes:
        """Take up to `max_length` bytes."""
        data = bytes(self.buffer[:max_length])
        del self.buffer[:max_length]
        if len(self.buffer) < BUFFER_HIGH_WATER:
            await self._paused.set()
        if not self.buffer:
            await self._is_empty.set()
        return data
