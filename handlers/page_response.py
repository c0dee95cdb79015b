"""The response of POST /ocr: its pages in the format that was requested."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from handlers.errors import OutOfTime
from handlers.formats.format import ResponseInfo, Writer
from handlers.large_pages import amount, worked
from handlers.page_images import ImageBudget
from handlers.problems import problem_document, progress
from handlers.reading import Entry, Reading
from middleware.errors import LimitStorageFailed, PageQuotaError
from middleware.request_context import caller_name, request_context
from model.errors import ReadingError
from model.reader import Page, Reader, Slot

PIECE_BYTES = 1 << 20
LAST_LINE_S = 0.5  # reserved before the function's timeout_s for sending the last line


class PageResponse(Response):
    """Reads the body and its pages, then sends them; or sends them while it reads them.

    A streamed format is read no faster than the client receives: sending waits for it. An error on
    the first page gets the usual error response. A later error ends the stream with a problem
    document, or, if the format has no place for one, without its end: over HTTP/2 the stream is
    reset, over HTTP/1.1 the connection is closed, so that nobody takes a part for the whole.
    """

    def __init__(self, request: Request) -> None:
        """Check what can be checked before the body is there.

        Raises:
            RequestError: a parameter of the query, the Content-Type or the Content-Encoding is
                invalid.

        """
        super().__init__()
        self.request = request
        self.reading = Reading(request)
        self._amount = 0  # of what has been written

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        reader: Reader = self.request.state.reader
        charge = request_context(scope).charge_pages
        with reader.slot(caller_name(scope), charge) as slot:
            await self.reading.receive()
            writer = self.reading.format.writer(self._info())
            if self.reading.format.streamed:
                rest = await self._stream(slot, writer, send)
            else:
                rest = await self._collect(slot, writer)
        # The slot is free by now: a slow client does not hold it.
        if rest is None:
            return
        if self.reading.format.streamed:
            await send({"type": "http.response.body", "body": rest})
        else:
            await self._send_whole(rest, send)

    def _info(self) -> ResponseInfo:
        return ResponseInfo(
            request_context(self.request.scope).request_id,
            paged=self.reading.parameters.paged,
            uploads=self.reading.uploads,
        )

    async def _collect(self, slot: Slot, writer: Writer) -> bytes:
        """Return the response, all of which is kept until its last page has been read.

        Raises:
            ImagesTooLarge: the images of its pages have too many bytes.

        """
        parts, images = [], ImageBudget()
        async with aclosing(self.reading.pages(slot)) as pages:
            async for upload, entry in pages:
                if isinstance(entry, Page):
                    images.consume(entry)
                parts.append(await self._written(writer, upload, entry))
        parts.append(await worked(self._amount, writer.end))
        return b"".join(filter(None, parts))  # one part alone, an image, is not copied

    async def _stream(self, slot: Slot, writer: Writer, send: Send) -> bytes | None:
        """Send the response but for its last part, and return that; None if it is cut off."""
        context = request_context(self.request.scope)
        started = False
        async with aclosing(self.reading.pages(slot)) as pages:
            try:
                async for upload, entry in until_deadline(pages, context.deadline):
                    if not started:
                        await self._start(send)
                        started = True
                    part = await self._written(writer, upload, entry)
                    await send({"type": "http.response.body", "body": part, "more_body": True})
            except (ReadingError, OutOfTime, PageQuotaError, LimitStorageFailed) as error:
                if not started:
                    raise
                problem = {**problem_document(self.request, error), **progress(context)}
                if not self.reading.format.partial:
                    return None
                return writer.problem(getattr(error, "image", 0), problem) + writer.end()
        return await worked(self._amount, writer.end)

    async def _send_whole(self, body: bytes, send: Send) -> None:
        """Send a response in pieces: the server copies what it has not yet sent."""
        await self._start(send, len(body))
        for at in range(0, max(1, len(body)), PIECE_BYTES):
            piece, more = body[at : at + PIECE_BYTES], at + PIECE_BYTES < len(body)
            await send({"type": "http.response.body", "body": piece, "more_body": more})

    async def _written(self, writer: Writer, upload: int, entry: Entry) -> bytes:
        if isinstance(entry, Page):
            much = amount(entry)
            self._amount += much
            return await worked(much, writer.page, upload, entry)
        return writer.problem(upload, problem_document(self.request, entry))

    async def _start(self, send: Send, length: int | None = None) -> None:
        """Send the head; the length of a streamed body is unknown until the last page is read."""
        head = Response(headers=self.reading.format.headers)
        if length is None:
            del head.headers["content-length"]
        else:
            head.headers["content-length"] = str(length)
        start = {"type": "http.response.start", "status": 200, "headers": head.raw_headers}
        await send(start)


async def until_deadline(
    pages: AsyncGenerator[tuple[int, Entry]], deadline: float | None
) -> AsyncIterator[tuple[int, Entry]]:
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
