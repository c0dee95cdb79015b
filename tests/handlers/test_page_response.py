"""A streamed response in a format that has no place for a problem."""

import json
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from handlers import page_images, page_response
from handlers.errors import ImagesTooLarge
from handlers.formats import ndjson
from handlers.formats.registry import formats
from handlers.ocr import recognize
from middleware.request_context import request_context
from model.errors import ReadingError, UnreadableImage
from model.reader import Page
from tests.handlers.echo import EchoReader, ocr_scope

pytestmark = pytest.mark.anyio


class FailingReader(EchoReader):
    """Reads `left` pages, and fails with an error after them."""

    def __init__(self, left: int, error: Exception) -> None:
        super().__init__()
        self.left = left
        self.error = error

    async def pages(self, upload: bytes, **options: Any) -> AsyncGenerator[Page]:
        """Yield pages as far as they go."""
        async for page in super().pages(upload, **options):
            if not self.left:
                raise self.error
            self.left -= 1
            yield page


async def _messages(reader: EchoReader, name: str, pages: str = "1-3") -> tuple[list[Any], Any]:
    """Return the messages of the response to a document of three pages, and its scope."""
    scope = ocr_scope(reader, f"format={name}&pages={pages}".encode(), {})
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"one/two/three"}

    async def send(message: Any) -> None:
        sent.append(message)

    response = await recognize(Request(scope, receive))
    assert isinstance(response, Response)  # what service.routes demands of a handler
    await response(scope, receive, send)
    return sent, scope


@pytest.fixture(params=[True, False], ids=["partial", "not partial"])
def streamed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a streamed format: one that has a place for problems, and one that has none."""
    each = replace(ndjson.FORMAT, partial=request.param)
    monkeypatch.setattr(ndjson, "FORMAT", each)
    return each


@pytest.mark.parametrize("error", [UnreadableImage(), ReadingError()])
async def test_a_later_error(streamed: Any, error: Exception) -> None:
    """It is the last line; or the response ends without its last message, which cuts it off."""
    (start, *pages, last), scope = await _messages(FailingReader(2, error), "ndjson")
    assert start["status"] == 200
    assert request_context(scope).problem  # the log says why
    if streamed.partial:
        assert [json.loads(page["body"])["page"] for page in pages] == [1, 2]
        assert json.loads(last["body"])["pages_read"] == 2
        assert not last.get("more_body")
    else:
        assert [json.loads(page["body"])["page"] for page in [*pages, last]] == [1, 2]
        assert last["more_body"]


async def test_an_error_before_the_first_page(streamed: Any) -> None:
    """It gets the usual error response: nothing has been sent."""
    assert streamed.streamed
    with pytest.raises(UnreadableImage):
        await _messages(FailingReader(0, UnreadableImage()), "ndjson")


async def test_a_whole_response(streamed: Any) -> None:
    """Negative control: it has its last message."""
    assert streamed.streamed
    (_, *pages, last), _ = await _messages(EchoReader(), "ndjson")
    assert len(pages) == 3
    assert not last.get("more_body")


@pytest.mark.parametrize("each", formats(), ids=lambda each: each.name)
async def test_the_headers(each: Any) -> None:
    """The media type, with the charset of text; a neutral file name; no length of a stream."""
    sent, _ = await _messages(EchoReader(), each.name, "1")
    headers = dict(sent[0]["headers"])
    is_text = each.media_type.startswith("text/") or each.media_type.endswith("+xml")
    content_type = each.media_type + "; charset=utf-8" * is_text
    assert headers[b"content-type"].decode() == content_type
    assert headers[b"content-disposition"].decode() == f'inline; filename="ocr.{each.extension}"'
    assert (b"content-length" in headers) != each.streamed


class PicturedReader(EchoReader):
    """Reads pages with an image of 3 bytes."""

    async def pages(self, upload: bytes, **options: Any) -> AsyncGenerator[Page]:
        """Yield pages."""
        async for page in super().pages(upload, **options):
            yield replace(page, image=b"123")


@pytest.mark.parametrize("name", ["json", "ndjson"])
async def test_images_are_bounded_where_they_are_collected(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many bytes as allowed are sent; with one more the request is refused, unless streamed."""
    monkeypatch.setattr(page_images, "MAX_IMAGES_BYTES", 9)
    sent, _ = await _messages(PicturedReader(), name)
    assert b"".join(each.get("body", b"") for each in sent).count(b"MTIz") == 3
    monkeypatch.setattr(page_images, "MAX_IMAGES_BYTES", 8)
    if name == "json":
        with pytest.raises(ImagesTooLarge):
            await _messages(PicturedReader(), name)
    else:
        await _messages(PicturedReader(), name)


@pytest.mark.parametrize("piece", [1, 9, 1000])
@pytest.mark.parametrize("name", ["png", "text"])
async def test_a_response_is_sent_in_pieces(
    name: str, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They have the length that was announced; only the last one is the end."""
    monkeypatch.setattr(page_response, "PIECE_BYTES", piece)
    (start, *pieces), _ = await _messages(PicturedReader(), name, "1")
    body = b"".join(each["body"] for each in pieces)
    assert body == {"png": b"123", "text": b"one"}[name]
    assert dict(start["headers"])[b"content-length"] == b"3"
    assert len(pieces) == (3 if piece == 1 else 1)
    assert [each["more_body"] for each in pieces] == [True] * (len(pieces) - 1) + [False]
