"""A streamed response: one JSON line per page, each sent before the next page is read."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from handlers.errors import OutOfTime
from handlers.problems import problem_document, progress
from handlers.reading import Entry, Problem
from handlers.responses import as_page
from middleware.request_context import caller_name, request_context
from model.errors import ReadingError
from model.reader import Page, Reader, Slot

MEDIA_TYPE = "application/x-ndjson"
LAST_LINE_S = 0.5  # reserved before the function's timeout_s for sending the last line


class PageStream(Response):
    """Reads pages while sending them, no faster than the client receives: sending waits for it.

    An error on the first page gets the usual error response. A later error is the last line of the
    stream, a problem document. In a partial response each problem is a line in its place.
    """

    def __init__(self, request: Request, read: Callable[[Slot], AsyncGenerator[Entry]]) -> None:
        super().__init__(media_type=MEDIA_TYPE)
        del self.headers["content-length"]  # unknown until the last page is read
        self.request = request
        self.read = read

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        reader: Reader = self.request.state.reader
        context = request_context(scope)
        started = False
        with reader.slot(caller_name(scope)) as slot:
            async with aclosing(self.read(slot)) as pages:
                try:
                    async for image, page in until_deadline(pages, context.deadline):
                        if not started:
                            await self._start(send)
                            started = True
                        await _send_line(send, self._line(image, page))
                except (ReadingError, OutOfTime) as error:
                    if not started:
                        raise
                    problem = problem_document(self.request, error)
                    await _send_line(send, {**problem, **progress(context)})
        await send({"type": "http.response.body", "body": b""})

    def _line(self, image: int, page: Page | Problem) -> dict[str, Any]:
        if not isinstance(page, Page):
            return problem_document(self.request, page)
        request_id = request_context(self.request.scope).request_id
        return {"image": image, "page": page.number, **as_page(page), "request_id": request_id}

    async def _start(self, send: Send) -> None:
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )


async def until_deadline(
    pages: AsyncGenerator[Entry], deadline: float | None
) -> AsyncIterator[Entry]:
    """Yield pages until LAST_LINE_S before `deadline`, on the event loop's clock.

    Raises:
        OutOfTime: that time has come and there are pages left.

    """
    while True:
        try:
            async with asyncio.timeout_at(None if deadline is None else deadline - LAST_LINE_S):
                entry = await anext(pages, None)
        except TimeoutError:
            raise OutOfTime from None
        if entry is None:
            return
        yield entry


async def _send_line(send: Send, document: dict[str, Any]) -> None:
    line = json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"
    await send({"type": "http.response.body", "body": line.encode(), "more_body": True})
