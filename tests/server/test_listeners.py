"""Listening sockets while the process has no descriptor left."""

import asyncio
import errno
import socket
from typing import Any

import pytest
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.typing import LifespanState

from server import listeners
from server.closures import Closure
from server.connection_limit import Limits, Worker
from server.options import ServerOptions


class Exhausted(socket.socket):
    """A listening socket that fails for lack of descriptors: twice, and after each success."""

    failures = 2

    def accept(self) -> tuple[socket.socket, Any]:
        """Fail, then accept."""
        if self.failures:
            self.failures -= 1
            raise OSError(errno.EMFILE, "too many open files")
        accepted = super().accept()
        self.failures = 1
        return accepted


@pytest.mark.anyio
@pytest.mark.parametrize(("report_s", "reports"), [(3600, 1), (0, 5)])
async def test_accepting_pauses_without_descriptors(
    report_s: float, reports: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connections that waited are accepted later; one report in a while, not one each time."""
    monkeypatch.setattr(listeners, "ACCEPT_RETRY_S", 0.05)
    monkeypatch.setattr(listeners, "REPORT_S", report_s)
    reported: list[dict[str, Any]] = []
    app: Any = None
    options = ServerOptions(max_connections=0, report=lambda **facts: reported.append(facts))
    limits = Limits(options)
    worker = Worker(app, Config(), WorkerContext(None), LifespanState({}), options, limits)
    found = listeners.Listeners(worker, None)
    listener = Exhausted()
    listener.bind(("127.0.0.1", 0))
    found.listen(listener, secure=False)
    for _ in range(3):
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        assert await asyncio.wait_for(reader.read(), 60) == b""  # accepted, refused by the limit
        writer.close()
    found.close()
    assert [(facts["event"], facts["error"]) for facts in reported] == [
        ("descriptors_exhausted", "too many open files")
    ] * reports
    assert limits.closures.counts[Closure.FULL] == 3
