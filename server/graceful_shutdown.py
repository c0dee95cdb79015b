"""The end of a serving process: every accepted connection gets a response to its request."""

import asyncio
from collections.abc import Collection

from server.connection_limit import LimitedConnection, Worker


async def shut_down(worker: Worker, connections: Collection[asyncio.Task[None]]) -> None:
    """End all connections; new ones are not accepted any more.

    A connection whose handshake is not complete has `linger_s` for it, and then for its first
    request. Requests have `graceful_timeout`; what is left then is cancelled.
    """
    await worker.context.terminated.set()  # idle connections close themselves
    loop = asyncio.get_running_loop()
    linger_s, graceful_s = worker.options.linger_s, worker.config.graceful_timeout
    kept: list[asyncio.Task[None]] = []  # the event loop itself does not keep tasks
    for connection in tuple(worker.limits.connections.connections):
        if not connection.established:
            loop.call_later(linger_s, _abort_handshake, connection)
        elif connection.has_requested:  # of others one request is accepted (Connection)
            # Each in a task of its own: a client that does not read delays no other's GOAWAY.
            kept.append(loop.create_task(connection.go_away()))
    if connections:
        await asyncio.wait(connections, timeout=graceful_s)
        # Closed first, which ends their requests: a connection that is cancelled before its
        # protocol knows of the end still starts tasks.
        for connection in tuple(worker.limits.connections.connections):
            kept.append(loop.create_task(connection.close()))
            loop.call_later(linger_s, connection.abort)
        await _cancel_late(set(connections), 2 * linger_s)


async def _cancel_late(connections: set[asyncio.Task[None]], wait_s: float) -> None:
    """Wait for connections that are closing; cancel those that take longer."""
    if not connections:
        return
    _, late = await asyncio.wait(connections, timeout=wait_s)
    for task in late:
        task.cancel()
    if late:
        await asyncio.wait(late, timeout=wait_s)


def _abort_handshake(connection: LimitedConnection) -> None:
    if not connection.established:
        connection.abort()
