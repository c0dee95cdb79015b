"""How fast the chunks of an HTTP/1.1 body are handled."""

import asyncio

import h11

CHUNKS_PER_ITERATION = 8
"""Chunks that are handled in one iteration of the event loop: a read of 64 KiB can hold eleven
thousand of one byte each."""

SMALL_BYTES = 256
FREE_SMALL_CHUNKS = 1024
PAUSE_S = 0.04
"""Between CHUNKS_PER_ITERATION chunks, once a body has had its free small ones. What a small chunk
costs the server is then a hundredth of a processor for each connection."""


class ChunkPace:
    """Lets the event loop serve others between the chunks of one body.

    A chunk costs its client six bytes, and the server a parser's time. A body of small chunks is
    slowed down, not refused: a slow device may send such a body. One read of 64 KiB can then take
    54 s: until its end a request that has no response yet keeps its connection, even if the client
    has disconnected.
    """

    def __init__(self) -> None:
        self._chunks = self._small = 0

    async def count(self, data: h11.Data) -> None:
        """Count a chunk that has been handled; wait after some."""
        self._chunks += 1
        self._small += bool(data.chunk_start) and len(data.data) < SMALL_BYTES
        if self._chunks % CHUNKS_PER_ITERATION == 0:
            await asyncio.sleep(PAUSE_S if self._small > FREE_SMALL_CHUNKS else 0)
