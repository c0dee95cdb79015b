"""GET /metrics of a service with several serving processes: one answer for all of them."""

import asyncio
import multiprocessing
from contextlib import suppress
from pathlib import Path

from metrics.exposition import exposition
from metrics.workers import Workers
from service.metrics import Metrics


class Scrape:
    """Makes the body of GET /metrics; with more than one worker it has the metrics of all."""

    def __init__(self, metrics: Metrics, workers: int) -> None:
        self._metrics = metrics
        self._workers = Workers(_group(), workers, metrics.families) if workers > 1 else None

    async def start(self) -> None:
        """Answer the other serving processes."""
        if self._workers is not None:
            await self._workers.start()

    async def exposition(self) -> bytes:
        """Return the metrics in Prometheus's text format.

        Written in a thread: a thousand keys make tens of milliseconds of it.
        """
        source = self._metrics if self._workers is None else self._workers
        return await asyncio.to_thread(exposition, await source.families())

    def close(self) -> None:
        """Answer no more."""
        if self._workers is not None:
            self._workers.close()


def _group() -> str:
    """Return what names this service on this machine: its supervisor, and when that started.

    Containers may share the network, and with it the names of sockets, but not the process ids.
    """
    supervisor = multiprocessing.parent_process()
    pid = supervisor.pid if supervisor is not None else None
    started = ""
    with suppress(OSError):
        started = (
            Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[19]
        )
    return f"{pid}-{started}"
