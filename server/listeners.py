"""Listening sockets: connections are accepted, a few at a time, and admitted by the limits."""

import asyncio
import errno
import resource
import socket
import time
from typing import Any

from server.closures import Closure
from server.connection_limit import Accepted, Worker
from server.connections import Connection
from server.contexts import ReloadableContext

ACCEPTS_PER_ITERATION = 8
"""Connections accepted in one iteration of the event loop; asyncio accepts the whole backlog."""

ACCEPT_RETRY_S = 1.0
REPORT_S = 60.0
"""The least time between two reports that descriptors are exhausted: while that lasts, accepting
succeeds and fails in turn, since a pause closes connections."""

OUT_OF_RESOURCES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class Listeners:
    """The listening sockets of a serving process, and the connections they accepted."""

    def __init__(self, worker: Worker, context: ReloadableContext | None) -> None:
        self.connections: set[asyncio.Task[None]] = set()
        self._worker = worker
        self._context = context
        self._listening: list[socket.socket] = []
        self._next_report = 0.0
        self._loop = asyncio.get_running_loop()

    def listen(self, listener: socket.socket, *, secure: bool) -> None:
        """Accept connections, with TLS or without."""
        listener.setblocking(False)  # noqa: FBT003 - socket's signature
        listener.listen(self._worker.config.backlog)
        self._listening.append(listener)
        self._loop.add_reader(listener, self._accept, listener, secure)

    def close(self) -> None:
        """Accept no more. Connections in the backlog stay there for other processes."""
        for listener in self._listening:
            self._loop.remove_reader(listener)
            listener.close()

    def _accept(self, listener: socket.socket, secure: bool) -> None:  # noqa: FBT001
        for _ in range(ACCEPTS_PER_ITERATION):
            try:
                accepted, address = listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in OUT_OF_RESOURCES:
                    raise
                self._pause(listener, secure, error)
                return
            accepted.setblocking(False)  # noqa: FBT003 - socket's signature
            self._admit(accepted, address, self._context if secure else None)

    def _pause(self, listener: socket.socket, secure: bool, error: OSError) -> None:  # noqa: FBT001
        """Stop accepting for a second: the socket stays readable while there is no descriptor."""
        if (now := time.monotonic()) >= self._next_report:
            self._next_report = now + REPORT_S
            self._worker.options.report(
                event="descriptors_exhausted",
                error=error.strerror,
                connections=len(self._worker.limits.connections.connections),
                limit=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
            )
        for _ in range(ACCEPTS_PER_ITERATION):
            self._worker.limits.connections.evict(None)
        self._loop.remove_reader(listener)
        self._loop.call_later(ACCEPT_RETRY_S, self._resume, listener, secure)

    def _resume(self, listener: socket.socket, secure: bool) -> None:  # noqa: FBT001
        if listener.fileno() != -1:
            self._loop.add_reader(listener, self._accept, listener, secure)

    def _admit(
        self, accepted: socket.socket, address: Any, context: ReloadableContext | None
    ) -> None:
        """Serve a connection, or close it before a handshake has cost anything."""
        limits = self._worker.limits
        host = address[0] if isinstance(address, tuple) else None
        subnet = None if host is None else self._worker.options.subnet_of(host)
        counted = host if context is not None else None
        if not (counted is None or limits.network.admit(counted)):
            limits.closures.count(Closure.ADDRESS_LIMIT)
            accepted.close()
            return
        if limits.connections.is_full and not limits.connections.evict(subnet):
            limits.closures.count(Closure.FULL)
            accepted.close()
            if counted is not None:
                limits.network.release(counted)
            return
        connection = Connection(accepted, self._worker, None if context is None else context.newest)
        limits.connections.connections[connection] = Accepted(time.monotonic(), subnet)
        task = self._loop.create_task(connection.run())
        self.connections.add(task)

        def ended(task: asyncio.Task[None]) -> None:
            self.connections.discard(task)
            limits.connections.connections.pop(connection, None)
            if counted is not None:
                limits.network.release(counted)
            if not task.cancelled() and (error := task.exception()) is not None:
                message = "Unhandled exception in a connection"
                self._loop.call_exception_handler({"message": message, "exception": error})

        task.add_done_callback(ended)
