"""One page on a cluster, until there is a result, or the page has ended the workers that read it.

A worker announces to the scheduler that it begins a page, and that it has ended it; the scheduler
passes that on before it tells of the worker's end. So it is known which of a lost worker's pages
were being read; the others are simply read elsewhere. One that was being read is read again alone
on its worker: if that ends, too, no other page can be the cause.
"""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from distributed import KilledWorker
from distributed.client import FutureCancelledError

from sealed_ocr_client.cluster.connection import Connection
from sealed_ocr_client.cluster.failures import SetAside, UnusableCluster
from sealed_ocr_client.cluster.sent import Sent
from sealed_ocr_client.cluster.task import VERSION, read_page
from sealed_ocr_client.errors import Refused, UnreadableFile
from sealed_ocr_client.options import Options

Ranges = Sequence[tuple[int, int | None]]

DEATHS = 3  # of workers, while they read a page: then it is set aside
LOST_UNBEGUN = 10  # workers that ended before they began it: its bytes alone are too much for them
ATTEMPTS = 2  # at a page whose reading process ended: the page may be the cause
AGAIN_S = 0.5


@dataclass(frozen=True, slots=True)
class PageLine:
    """A page as a line of JSON, and how many pages its document has."""

    line: bytes
    of: int


class PageReader:
    """Reads pages with the workers of a cluster."""

    def __init__(self, connection: Connection, options: Options, language: str) -> None:
        self._connection = connection
        self._language = language
        self._options = {
            "version": VERSION,
            "language": language,
            "words": options.words,
            "order": options.order,
            "min_confidence": options.min_confidence,
            "detect": options.detect is not False,
        }

    async def read(self, document: Sent, number: int, ranges: Ranges, request_id: str) -> PageLine:
        """Return the first page of `ranges`.

        Raises:
            Refused: it cannot be read; the problem is the service's.
            SetAside: it ends its workers.
            OcrError: the cluster cannot be used.

        """
        deaths = unbegun = failed = 0
        while True:
            key = f"page-{document.identifier}-{number}-{secrets.token_hex(4)}"
            request = {"ranges": ranges, "request_id": request_id, "alone": deaths > 0, "key": key}
            try:
                result = await self._result(document, key, request)
            except KilledWorker:
                if key in self._connection.begun:
                    deaths += 1
                else:
                    unbegun += 1
                if deaths == DEATHS or unbegun == LOST_UNBEGUN:
                    raise SetAside(number, max(deaths, unbegun)) from None
                continue
            finally:
                self._connection.begun.discard(key)
            if result is None or "unannounced" in result:
                continue
            failed += 1
            if result.get("again") and failed < ATTEMPTS:
                await asyncio.sleep(AGAIN_S)
                continue
            return _page_of(result)

    async def _result(
        self, document: Sent, key: str, request: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """Return what a worker says; None if the scheduler was lost meanwhile.

        Raises:
            KilledWorker: the worker was lost.
            OcrError: the cluster cannot be used.

        """
        client = await self._connection.client()
        more = {"topic": self._connection.topic, "sha256": document.sha256}
        whole = {**self._options, **request, **more, "path": document.path}
        try:
            future = client.submit(read_page, whole, document.on(client), key=key, pure=False)
            result: Mapping[str, Any] = await future
        except KilledWorker:
            raise
        except (FutureCancelledError, OSError) as error:
            if getattr(error, "reason", "scheduler-connection-lost") == "scheduler-connection-lost":
                await self._connection.lost(client)
            else:
                await asyncio.sleep(AGAIN_S)
            return None
        except Exception as error:  # noqa: BLE001 - whatever a worker could not load
            if client.status != "running":  # the connection was being replaced
                await self._connection.lost(client)
                return None
            raise UnusableCluster(
                f"A worker cannot run this client's tasks ({type(error).__name__}: {error}). Both "
                "must have the same version of the project."
            ) from None
        return result


def _page_of(result: Mapping[str, Any]) -> PageLine:
    """Return the page of a worker's result.

    Raises:
        Refused: it cannot be read.
        UnreadableFile: the node does not find the file, or not this one.
        UnusableCluster: the worker does not read for this client.

    """
    if "page" in result:
        return PageLine(result["page"], result["pages"])
    if "problem" in result:
        raise Refused(result["problem"]["status"], result["problem"])
    if "no_file" in result:
        raise UnreadableFile(f"A node does not find it at this path: {result['no_file']}.")
    if "other_version" in result:
        raise UnusableCluster(
            f"A worker has version {result['other_version']} of the project, and this client "
            f"{VERSION}: install the same on both."
        )
    raise UnusableCluster("A worker has no reader: it was not started by scripts/cluster worker.")
