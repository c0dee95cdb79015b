"""The drop-in functions as the service builds them, with a reader that needs no model."""

import contextlib
import json
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp

from model.errors import Busy, UnreadableImage, UnsupportedImageType
from model.reader import ALL_PAGES, Block, Line, Page, ReadingOptions, Word
from model.slot import Charge, free_of_charge
from service.middleware_stack import MiddlewareStack, Surroundings
from settings import load_settings
from tests.asgi import Answer, call, scope_of

SHIPPED = Path(__file__).parents[3] / "settings.toml"
LOOPBACK, ELSEWHERE = "127.0.0.1", "192.0.2.1"
Box = tuple[int, int, int, int]


def polygon(box: Box) -> tuple[tuple[int, int], ...]:
    """Return the corners of a box, clockwise from the top left one."""
    left, top, right, bottom = box
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def line(text: str, box: Box, confidence: float = 0.9) -> Line:
    """Return a line with a box, and a word for each of its words."""
    words = [Word(each, polygon(box), 0.8) for each in text.split()]
    return Line(text, confidence, polygon(box), tuple(words))


def page(*lines: Line, number: int = 1, of_document: bool = False, **values: Any) -> Page:
    """Return a page with one block of these lines."""
    block = Block(polygon((0, 0, 9, 9)), tuple(range(len(lines))), "text")
    blocks = values.pop("blocks", (block,) if lines else ())
    place = (640, 480, values.pop("rotation", 0), 0.0, "echo", {"total": 1.0})
    return Page(number, of_document, lines, blocks, *place, **values)


class PageReader:
    """Reads every file as `pages`, unless its text is the name of an error."""

    def __init__(self) -> None:
        self.pages_read = [page(line("Hello 世界", (10, 20, 110, 40)))]
        self.file = b""
        self.options = ReadingOptions()
        self.ranges: Any = None
        self.held = 0
        self.charge: Charge = free_of_charge
        self.ended_in_slot = False

    @contextlib.contextmanager
    def slot(self, _caller: str, charge: Charge) -> Iterator[Any]:
        """Hold the only slot."""
        self.charge = charge
        if self.held:
            raise Busy(3)
        self.held = 1
        try:
            yield self
        finally:
            self.held = 0

    async def pages(
        self, file: bytes, *, options: ReadingOptions, ranges: Any = ALL_PAGES
    ) -> AsyncGenerator[Page]:
        """Yield the pages."""
        self.file, self.options, self.ranges = file, options, ranges
        if file == b"torn":
            raise UnreadableImage
        if file == b"text":
            raise UnsupportedImageType("text")
        if file == b"bug":
            raise ZeroDivisionError
        self.ended_in_slot = False
        await self.charge(len(self.pages_read))
        try:
            for each in self.pages_read:
                yield each
        finally:
            self.ended_in_slot = self.held == 1


@pytest.fixture
def reader() -> PageReader:
    """Return such a reader."""
    return PageReader()


LOG: list[str] = []
"""The lines of the log."""


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> ASGIApp:
    """Return the drop-ins, switched on, with one limit that is low; this machine needs no key."""
    settings = load_settings(SHIPPED, {})
    functions = [
        each.model_copy(update={"enabled": True, "loopback_without_key": True, "limits": ()})
        for each in settings.functions
        if ".compat." in each.handler
    ]
    functions[0] = functions[0].model_copy(update={"max_body_bytes": 9_000_000})
    limits = settings.limits.model_copy(
        update={"per_key": "9000/minute", "per_address": "9000/minute"}
    )
    surroundings = Surroundings(
        directory=tmp_path_factory.mktemp("compat"),
        write=LOG.append,
        clients=None,
        development_certificate=True,
    )
    update = {"functions": tuple(functions), "limits": limits}
    return MiddlewareStack(settings.model_copy(update=update), surroundings).app()


Send = Callable[..., Any]


@pytest.fixture
def send(app: ASGIApp, reader: PageReader) -> Send:
    """Return a function that sends a request; the answer's `json()` is the parsed body."""

    async def send_one(
        path: str,
        body: bytes = b"",
        *,
        method: str = "POST",
        query: bytes = b"",
        client: str = LOOPBACK,
        chunks: list[bytes] | None = None,
        **headers: str,
    ) -> Reply:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        scope = scope_of(
            method,
            path,
            query=query,
            client=client,
            headers=names,
            state={"reader": reader, "max_images": 16},
        )
        return Reply(await call(app, scope, *(chunks or [body])))

    return send_one


class Reply:
    """A response, and its body as JSON."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.status = answer.status
        self.body = answer.body

    def json(self) -> Any:
        """Return the parsed body."""
        return json.loads(self.body)

    def __getitem__(self, header: str) -> str:
        return self.answer[header]


BOUNDARY = "b0undary"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
URLENCODED = "application/x-www-form-urlencoded"


def form(fields: Mapping[str, str | bytes]) -> bytes:
    """Return a multipart body: bytes are files, texts are fields."""
    parts = []
    for name, value in fields.items():
        disposition = f'form-data; name="{name}"'
        if isinstance(value, bytes):
            disposition += '; filename="x.png"\r\nContent-Type: image/png'
        content = value if isinstance(value, bytes) else value.encode()
        head = f"--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\n\r\n"
        parts.append(head.encode() + content + b"\r\n")
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()
