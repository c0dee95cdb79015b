"""POST /ocr with a reader that needs no model: it reads the bytes of an image as its text."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterator, Mapping
from itertools import accumulate, pairwise
from typing import Any

from starlette.requests import Request

from handlers.ocr import recognize
from handlers.page_images import PageImages
from middleware.request_context import request_context
from model.errors import Busy, TooManyPages, UnreadableImage
from model.options import DEFAULT_OPTIONS, ReadingOptions
from model.reader import ALL_PAGES, Block, Line, Page
from model.slot import Charge, free_of_charge
from tests.asgi import Answer, call, scope_of

BOX = ((0, 0), (9, 0), (9, 9), (0, 9))


class EchoReader:
    """Reads the bytes of an image as its lines; has two slots."""

    def __init__(self) -> None:
        self.held = 0
        self.caller = ""
        self.charge: Charge = free_of_charge
        self.most = 0
        self.read: list[tuple[bytes, bool]] = []
        self.options = DEFAULT_OPTIONS
        self.entered = asyncio.Event()
        self.gate: asyncio.Event | None = None

    @contextlib.contextmanager
    def slot(self, caller: str = "", charge: Charge = free_of_charge) -> Iterator[Any]:
        """Hold one of the slots."""
        self.caller, self.charge = caller, charge
        if self.held == 2:
            raise Busy(3)
        self.held += 1
        self.entered.set()
        try:
            yield self
        finally:
            self.held -= 1

    async def pages(
        self,
        upload: bytes,
        *,
        options: ReadingOptions = DEFAULT_OPTIONS,
        ranges: Any = ALL_PAGES,
        most: int | None = None,
    ) -> AsyncGenerator[Page]:
        """Yield a page for each text between slashes, a block for each between bars."""
        assert self.held
        self.options = options
        texts = upload.split(b"/")
        numbers = range(ranges[0].first, (ranges[-1].last or len(texts)) + 1)
        if most is not None and len(numbers) > most:
            raise TooManyPages(len(texts), most)
        await self.charge(len(numbers))
        for number in numbers:
            if self.gate:
                await self.gate.wait()
            self.read.append((texts[number - 1], options.detect))
            if texts[number - 1] == b"torn":
                raise UnreadableImage
            words = [text.split() for text in texts[number - 1].decode().split("|")]
            lines = tuple(Line(word, 0.5, BOX) for block in words for word in block)
            ends = list(accumulate(map(len, words), initial=0))
            blocks = tuple(
                Block(BOX, tuple(range(start, end)), "text")
                for start, end in pairwise(ends)
                if end > start
            )
            of_document, times_ms = len(texts) > 1, {"total": 1.5}
            yield Page(number, of_document, lines, blocks, 9, 8, 90, 0.25, "echo", times_ms)


def ocr_scope(reader: Any, query: bytes, headers: Mapping[str, str]) -> Any:
    """Return the scope of POST /ocr, of a PNG unless a header `content_type` is given."""
    names = {"content_type": "image/png", **headers}
    return scope_of(
        "POST",
        "/ocr",
        query=query,
        headers={name.replace("_", "-"): value for name, value in names.items()},
        state={"reader": reader, "max_images": 2, "page_images": PageImages(80, 200, 400)},
    )


class Caller:
    """Sends requests to the function, as the app does."""

    def __init__(self, reader: EchoReader) -> None:
        self.reader = reader
        self.scope: Any = None
        self.held_at_response: int | None = None

    async def __call__(
        self,
        body: bytes = b"one two",
        *,
        query: bytes = b"",
        stalled: bool = False,
        window: Any = None,
        charge: Charge = free_of_charge,
        **headers: str,
    ) -> Answer:
        scope = ocr_scope(self.reader, query, headers)
        if window:
            scope["extensions"] = {"sealed.receive_window": {"grow": window}}
        request_context(scope).charge_pages = charge
        self.scope = scope

        async def app(scope: Any, receive: Any, send: Any) -> None:
            async def send_and_record(message: Any) -> None:
                if message["type"] == "http.response.start":
                    self.held_at_response = self.reader.held
                await send(message)

            response = await recognize(Request(scope, receive))
            await response(scope, receive, send_and_record)

        return await call(app, scope, *([] if stalled else [body]), stalled=stalled)
