"""The drain: a serving process that is to end still accepts, while load balancers learn of it."""

import asyncio
import signal
from contextlib import suppress
from typing import Any


class Stop:
    """Whether this process is to end, and whether it is to drain first."""

    def __init__(self) -> None:
        self.requested = asyncio.Event()
        self.at_once = asyncio.Event()
        """Without a drain, or without the rest of it."""

    def request(self) -> None:
        """End after a drain; do not make the time of a drain that has begun shorter."""
        self.requested.set()

    def request_at_once(self) -> None:
        """End without a drain."""
        self.requested.set()
        self.at_once.set()

    def on_signals(self, loop: asyncio.AbstractEventLoop) -> None:
        """End on SIGTERM, at once on the second one, and at once on SIGINT, which is Ctrl+C."""
        loop.add_signal_handler(signal.SIGINT, self.request_at_once)
        loop.add_signal_handler(signal.SIGTERM, self._terminate)

    def _terminate(self) -> None:
        if self.requested.is_set():
            self.request_at_once()
        else:
            self.request()


class Drain:
    """Whether this process drains: all that its connections have to know of it."""

    def __init__(self) -> None:
        self.has_begun = False

    async def run(self, worker: Any, seconds: float, at_once: asyncio.Event) -> None:
        """Drain for `seconds`, or until `at_once`; new connections are accepted meanwhile.

        Each connection ends after the request that it has, or gets next. An HTTP/1.1 connection
        without one stays open for its next request: a proxy may be sending it just now, and could
        not know whether it was read.
        """
        self.has_begun = True
        connections = tuple(worker.limits.connections.connections)
        worker.options.report(event="draining", seconds=seconds, connections=len(connections))
        loop = asyncio.get_running_loop()
        # Each in a task of its own: a client that does not read delays no other's GOAWAY.
        go_aways = [loop.create_task(each.go_away()) for each in connections if each.has_requested]
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await at_once.wait()
        for task in go_aways:
            task.cancel()
        await asyncio.gather(*go_aways, return_exceptions=True)
