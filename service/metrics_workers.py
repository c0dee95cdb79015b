"""GET /metrics of a service with several serving processes: one answer for all of them."""

import asyncio

from metrics.exposition import exposition
from metrics.workers import Workers
from service.group import service_group
from service.metrics import Metrics


class Scrape:
    """Makes the body of GET /metrics; with more than one worker it has the metrics of all."""

    def __init__(self, metrics: Metrics, workers: int) -> None:
        self._metrics = metrics
        self._workers = Workers(service_group(), workers, metrics.families) if workers > 1 else None

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
