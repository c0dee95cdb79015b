"""What ended is freed at once; in reference cycles it would wait for the garbage collector.

A connection has buffers, of its TLS and of a request's body. Python collects old objects so rarely
that a thousand and more refused uploads took 250 MB.
"""

import asyncio

from hypercorn.events import Event

from server.protocols import Protocol


def break_cycles(reader: asyncio.StreamReader, protocol: Protocol | None) -> None:
    """Have the reader and the protocol of an ended connection not refer to the connection."""
    if protocol is not None:
        protocol.send = _discard
    # The reader keeps the exception of a lost connection, and that the frames it has passed.
    error = reader.exception()
    if error is not None:
        error.__traceback__ = None


async def _discard(_event: Event) -> None:
    """Send nothing: the connection has ended."""
