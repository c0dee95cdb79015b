"""What happens when Hypercorn starts and ends serving."""

import asyncio
import contextlib
import gc
import signal
from collections.abc import AsyncIterator, Sequence
from typing import Any

from handlers.page_images import PageImages
from model.reader import Reader
from service.log import log_event
from service.metrics_workers import Scrape
from service.readiness import Readiness
from service.reload import Reload
from service.storage import report_unreachable
from settings import Settings
from tls.watch import poll_every


class Lifespan:
    """Polls what can be reloaded, gives requests their state, and ends the reader."""

    def __init__(
        self,
        settings: Settings,
        *,
        reader: Reader,
        readiness: Readiness,
        reloads: Sequence[Reload],
        scrape: Scrape,
    ) -> None:
        self._settings = settings
        self._reader = reader
        self._readiness = readiness
        self._reloads = reloads
        self._scrape = scrape

    @contextlib.asynccontextmanager
    async def __call__(self, _app: object) -> AsyncIterator[dict[str, Any]]:
        """Yield the state that handlers find in `request.state`."""
        self._start_polling()
        audit = self._readiness.audit
        if audit is not None:
            audit.trail.serve()
        await self._scrape.start()
        await report_unreachable(self._readiness.settings.stack.quota)
        # Imported modules stay: collecting garbage among them again and again delays every
        # response by a tenth of a second.
        gc.freeze()
        try:
            if self._settings.engine.warm:
                await self._reader.warm()
            yield {
                "reader": self._reader,
                "max_images": self._settings.model.max_images,
                "page_images": PageImages(**self._settings.formats.model_dump()),
                "checks": self._readiness.checks(),
                "warnings": self._readiness.warnings,
                "metrics": self._scrape.exposition,
            }
        finally:
            self._scrape.close()
            await self._reader.aclose()
            await self._readiness.settings.aclose()
            if audit is not None:
                await audit.trail.aclose()

    def _start_polling(self) -> None:
        for reload in self._reloads:
            poll_every(self._settings.tls.reload_poll_s, reload.poll)
        if self._settings.server.workers == 0:  # Hypercorn's supervisor uses the signal itself
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._reload_all)

    def _reload_all(self) -> None:
        """Reload everything as it is now: SIGHUP says that the files are complete."""
        for reload in self._reloads:
            reload.reload()
        problems = [reload.problem for reload in self._reloads if reload.problem]
        log_event(event="reloaded", problems=problems)
