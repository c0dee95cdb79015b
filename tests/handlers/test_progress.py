"""A document that takes too long: the problem says how far it got, and which pages are left."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from handlers.errors import OutOfTime
from handlers.formats.registry import formats
from handlers.ocr import recognize
from handlers.parameters import pages_after, parameters_of
from handlers.problems import respond
from middleware.deadline import Deadline
from middleware.errors import DeadlineExceeded
from model.errors import ReadingTimeout, UnreadableImage
from model.reader import Page
from tests.asgi import Answer, call
from tests.handlers.conftest import BOUNDARY, Multipart
from tests.handlers.echo import EchoReader, ocr_scope

pytestmark = pytest.mark.anyio

DOCUMENT = b"one/two/three/four/five"
STREAM = "application/x-ndjson"


@pytest.mark.parametrize(
    ("pages", "number", "left"),
    [
        ("1-", 12, "13-"),
        ("1-20", 12, "13-20"),
        ("1-13", 12, "13"),
        ("1-12", 12, None),
        ("3", 3, None),
        ("1-3,7,9-", 2, "3,7,9-"),
        ("1-3,7,9-", 3, "7,9-"),
        ("1-3,7,9-", 9, "10-"),
        ("9-,1-3", 2, "9-,3"),
        ("2-5,3-5", 3, "4-5"),
    ],
)
def test_the_pages_that_are_left(pages: str, number: int, left: str | None) -> None:
    """Pages are read in their order, whatever the order of the ranges; the value is a valid one."""
    assert pages_after(parameters_of([("pages", pages)]).pages, number) == left
    if left is not None:
        assert parameters_of([("pages", left)]).paged


class StuckReader(EchoReader):
    """Reads `stuck_after` pages; the next one never comes, or raises `error`."""

    def __init__(self, stuck_after: int, error: Exception | None) -> None:
        super().__init__()
        self.left = stuck_after
        self.error = error

    async def pages(self, upload: bytes, **options: Any) -> AsyncGenerator[Page]:
        """Yield pages as far as they go."""
        async for page in super().pages(upload, **options):
            if not self.left:
                if self.error is not None:
                    raise self.error
                await asyncio.Event().wait()
            self.left -= 1
            yield page


async def _post(
    stuck_after: int,
    error: Exception | None = None,
    *,
    query: bytes = b"",
    body: bytes = DOCUMENT,
    **headers: str,
) -> Answer:
    """Send a document to the function, with a deadline and the responses to exceptions."""

    async def function(scope: Scope, receive: Receive, send: Send) -> None:
        response = await recognize(Request(scope, receive))
        await response(scope, receive, send)

    handlers = {HTTPException: respond, Exception: respond}
    total_s = 60 if error else 1
    app = ExceptionMiddleware(Deadline(function, body_s=30, total_s=total_s), handlers=handlers)
    return await call(app, ocr_scope(StuckReader(stuck_after, error), query, headers), body)


def _progress(document: dict[str, Any]) -> tuple[object, object]:
    return document.get("pages_read", "absent"), document.get("next_pages", "absent")


@pytest.mark.parametrize(
    ("query", "read", "progress"),
    [
        (b"", 2, (2, "3-")),
        (b"pages=2-4", 2, (2, "4")),
        (b"pages=2-", 1, (1, "3-")),
        (b"", 0, (0, "absent")),
    ],
)
async def test_a_504_has_the_progress(query: bytes, read: int, progress: tuple[int, str]) -> None:
    """Of the whole response, or of a page that took too long."""
    for error in (DeadlineExceeded(60), ReadingTimeout("reading", 9)):
        answer = await _post(read, error, query=query)
        assert answer.status == 504
        assert _progress(json.loads(answer.body)) == progress


@pytest.mark.parametrize(
    "name", [each.name for each in formats() if not each.single_page and each.image is None]
)
async def test_every_format_has_the_progress(name: str) -> None:
    """In a 504 or in the last line of the stream: both name the pages that are left."""
    answer = await _post(2, ReadingTimeout("reading", 9), query=f"format={name}".encode())
    assert answer.status == (200 if name == "ndjson" else 504)
    assert _progress(json.loads(answer.body.splitlines()[-1])) == (2, "3-")


async def test_a_deadline_that_passes_has_the_progress() -> None:
    """The request is cancelled while a page is read."""
    answer = await _post(2)
    document = json.loads(answer.body)
    assert (answer.status, document["code"]) == (504, "deadline_exceeded")
    assert _progress(document) == (2, "3-")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OutOfTime(), "out_of_time"),
        (ReadingTimeout("reading", 9), "reading_timeout"),
        (UnreadableImage(), "unreadable_image"),
    ],
)
async def test_the_last_line_of_a_stream_has_the_progress(error: Exception, code: str) -> None:
    """Whatever the problem is: the pages before it have been sent."""
    answer = await _post(2, error, accept=STREAM)
    *pages, last = map(json.loads, answer.body.splitlines())
    assert [page["page"] for page in pages] == [1, 2]
    assert (last["code"], *_progress(last)) == (code, 2, "3-")


async def test_a_stream_without_a_page_is_a_504() -> None:
    """Nothing was sent yet; with the progress of a 504."""
    answer = await _post(0, OutOfTime(), accept=STREAM)
    document = json.loads(answer.body)
    assert (answer.status, document["code"]) == (504, "out_of_time")
    assert _progress(document) == (0, "absent")


async def test_of_several_files_no_pages_are_named(multipart: Multipart) -> None:
    """The parameter would select pages of each of them."""
    body = multipart([("image", b"one"), ("image", DOCUMENT)])
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    answer = await _post(3, DeadlineExceeded(60), body=body, content_type=kind)
    assert _progress(json.loads(answer.body)) == (3, "absent")


async def test_other_problems_have_no_progress() -> None:
    """A file that cannot be read is not continued."""
    answer = await _post(2, UnreadableImage())
    document = json.loads(answer.body)
    assert (answer.status, *_progress(document)) == (422, "absent", "absent")
