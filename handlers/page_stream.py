"""An answer of one JSON line a page, each sent before the next page is read."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from handlers.errors import OutOfTime
from handlers.problems import problem_document
from handlers.responses import as_page
from middleware.request_context import caller_name, request_context
from model.errors import ReadingError
from model.reader import Page, Reader, Slot

MEDIA_TYPE = "application/x-ndjson"
FAREWELL_S = 0.5  # before the function's timeout_s: the last line has to be sent, too


class PageStream(Response):
    """Reads while it answers, no faster than the client takes it: sending waits for the window.

    What is wrong with the first page is answered as ever; what goes wrong later is the last line,
    a problem document of its own.
    """

    def __init__(
        self, request: Request, read: Callable[[Slot], AsyncGenerator[tuple[int, Page]]]
    ) -> None:
        super().__init__(media_type=MEDIA_TYPE)
        del self.headers["content-length"]  # nobody knows it yet
        self.request = request
        self.read = read

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        reader: Reader = self.request.state.reader
        context = request_context(scope)
        began = False
        with reader.slot(caller_name(scope)) as slot:
            async with aclosing(self.read(slot)) as pages:
                try:
                    async for image, page in in_time(pages, context.deadline):
                        if not began:
                            await self._begin(send)
                            began = True
                        line = {"image": image, "page": page.number, **as_page(page)}
                        await _send_line(send, {**line, "request_id": context.request_id})
                except (ReadingError, OutOfTime) as error:
                    if not began:
                        raise
                    await _send_line(send, problem_document(self.request, error))
        await send({"type": "http.response.body", "body": b""})

    async def _begin(self, send: Send) -> None:
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )


async def in_time(
    pages: AsyncGenerator[tuple[int, Page]], due: float | None
) -> AsyncIterator[tuple[int, Page]]:
    """Yield pages until it is time to say goodbye. Raises OutOfTime."""
    while True:
        try:
            async with asyncio.timeout_at(None if due is None else due - FAREWELL_S):
                entry = await anext(pages, None)
        except TimeoutError:
            raise OutOfTime from None
        if entry is None:
            return
        yield entry


async def _send_line(send: Send, document: dict[str, Any]) -> None:
    line = json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"
    await send({"type": "http.response.body", "body": line.encode(), "more_body": True})
