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
    goodbyes = []
    for connection in tuple(worker.limits.connections.connections):
        if not connection.established:
            loop.call_later(linger_s, _abort_handshake, connection)
        elif connection.has_requested:  # of others one request is accepted (Connection)
            # Each in a task of its own: a client that does not read delays no other's GOAWAY.
            goodbyes.append(loop.create_task(connection.go_away()))
    if connections:
        _, left = await asyncio.wait(connections, timeout=graceful_s)
        for task in left:
            task.cancel()
        for connection in tuple(worker.limits.connections.connections):
            loop.call_later(linger_s, connection.abort)
        if left:
            await asyncio.wait(left, timeout=2 * linger_s)


def _abort_handshake(connection: LimitedConnection) -> None:
    if not connection.established:
        connection.abort()
