"""One page: what a client asks of a worker, and the result.

Requests and results are plain dictionaries, so that nothing of this project's has to be the same
class on both sides. A page that cannot be read is a result, too: a task never fails by itself,
since distributed would write its arguments to the log.
"""

import asyncio
import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any, Protocol

from cluster.gate import Gate
from handlers.problems import described
from handlers.writing.page_json import as_page
from model.errors import Busy, ReaderDied, ReadingError
from model.reader import Page, PageRange, Reader, ReadingOptions, WordMode

Result = dict[str, Any]
CALLER = "cluster"


class Announce(Protocol):
    """Tells the client of a task that its reading begins or has ended; returns when it is told."""

    async def __call__(self, topic: str, key: str, *, begins: bool) -> None: ...


class FileChanged(Exception):
    """The file at a shared path is not the one that the client has."""


class PageTasks:
    """Reads pages for clients of the same version."""

    def __init__(self, reader: Reader, version: str) -> None:
        self._reader = reader
        self._version = version
        self._gate = Gate()

    async def read(
        self, request: Mapping[str, Any], upload: bytes | None, announce: Announce
    ) -> Result:
        """Return the page as JSON with the number of pages of its document, or why there is none.

        A client that learns of a lost worker knows by the announcements whether this page was being
        read on it. The end is announced before another page may begin, which may end the worker.
        """
        if request["version"] != self._version:
            return {"other_version": self._version}
        async with self._gate.open(alone=request["alone"]):
            try:
                await announce(request["topic"], request["key"], begins=True)
                result = await self._result(request, upload)
                await announce(request["topic"], request["key"], begins=False)
            except OSError:  # the scheduler is lost: nobody waits for the result
                return {"unannounced": True}
            return result

    async def _result(self, request: Mapping[str, Any], upload: bytes | None) -> Result:
        try:
            return await self._page(request, upload)
        except ReadingError as error:
            again = isinstance(error, ReaderDied | Busy)
            return {"problem": described(error, request["language"]), "again": again}
        except (FileChanged, OSError) as error:
            return {"no_file": getattr(error, "strerror", None) or "its content is another one"}

    async def _page(self, request: Mapping[str, Any], upload: bytes | None) -> Result:
        content = await asyncio.to_thread(_shared, request) if upload is None else upload
        options = ReadingOptions(
            detect=request["detect"],
            by_columns=request["order"] != "rows",
            words=WordMode(request["words"] or "none"),
        )
        ranges = [PageRange(first, last) for first, last in request["ranges"]]
        with self._reader.slot(CALLER) as slot:
            reading = slot.pages(content, options, ranges=ranges)
            async with aclosing(reading) as pages:
                page = await anext(pages)  # the client has a task for each of the others
        page = page.without_doubtful(request["min_confidence"] or 0.0)
        return {"page": _line(page, request["request_id"]), "pages": page.document_pages}


def _shared(request: Mapping[str, Any]) -> bytes:
    """Return a file that the client names.

    Raises:
        FileChanged: its content is another one.
        OSError: it cannot be read.

    """
    with open(os.fsencode(request["path"]), "rb") as file:  # noqa: PTH123 - names need not be UTF-8
        content = file.read()
    if hashlib.sha256(content).hexdigest() != request["sha256"]:
        raise FileChanged
    return content


def _line(page: Page, request_id: str) -> bytes:
    """Return a page as in the service's streamed response."""
    about = {"image": 1, "page": page.number}
    document = {**about, **as_page(page), "request_id": request_id}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
