"""POST /ocr, with a reader that needs no model."""

import asyncio
import json
from typing import Any

import pytest
from starlette.requests import Request

from handlers.errors import (
    InvalidPages,
    InvalidParameter,
    MalformedBody,
    RepeatedParameter,
    TooManyImages,
    UnknownParameter,
    UnsupportedBody,
)
from handlers.formats.registry import formats
from handlers.ocr import recognize
from handlers.parameters import VALID
from middleware.request_context import request_context
from model.errors import Busy, UnreadableImage
from tests.handlers.conftest import BOUNDARY, Multipart
from tests.handlers.echo import Caller, EchoReader

pytestmark = pytest.mark.anyio


async def test_the_response_for_an_image(post: Caller) -> None:
    """It has the documented members and no others."""
    answer = await post()
    assert (answer.status, answer["content-type"]) == (200, "application/json")
    assert json.loads(answer.body) == {
        "text": "one\ntwo",
        "lines": [
            {"text": text, "confidence": 0.5, "polygon": [[0, 0], [9, 0], [9, 9], [0, 9]]}
            for text in ("one", "two")
        ],
        "blocks": [{"polygon": [[0, 0], [9, 0], [9, 9], [0, 9]], "lines": [0, 1], "kind": "text"}],
        "width": 9,
        "height": 8,
        "rotation": 90,
        "skew": 0.2,
        "warnings": [],
        "model": "echo",
        "timing_ms": {"total": 1.5},
        "request_id": request_context(post.scope).request_id,
    }


async def test_an_image_without_text(post: Caller) -> None:
    """The text is empty, without lines."""
    document = json.loads((await post(b" ")).body)
    assert (document["text"], document["lines"], document["blocks"]) == ("", [], [])


async def test_several_images_are_read_in_order(post: Caller, multipart: Multipart) -> None:
    """One entry each, in the order of the parts; one request_id for all."""
    body = multipart([("image", b"first one"), ("file", b"second")])
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    document = json.loads((await post(body, content_type=kind)).body)
    assert set(document) == {"images", "model", "timing_ms", "request_id"}
    assert [image["text"] for image in document["images"]] == ["first\none", "second"]
    text = await post(body, content_type=kind, accept="text/plain")
    assert text.body == b"first\none\n\nsecond"


async def test_plain_text_on_request(post: Caller) -> None:
    """Accept: text/plain gives only the text."""
    answer = await post(accept="text/plain, */*;q=0.1")
    assert (answer["content-type"], answer.body) == ("text/plain; charset=utf-8", b"one\ntwo")


@pytest.mark.parametrize(
    ("query", "detect"), [(b"", True), (b"detect=true", True), (b"detect=false", False)]
)
async def test_detect(query: bytes, *, detect: bool, post: Caller, reader: EchoReader) -> None:
    """The parameter is passed to the reader."""
    await post(query=query)
    assert reader.read == [(b"one two", detect)]


@pytest.mark.parametrize(
    ("query", "by_columns"), [(b"", True), (b"order=columns", True), (b"order=rows", False)]
)
async def test_order(query: bytes, *, by_columns: bool, post: Caller, reader: EchoReader) -> None:
    """The parameter is passed to the reader."""
    await post(query=query)
    assert reader.options.by_columns == by_columns


async def test_blocks_are_parted_by_an_empty_line(post: Caller) -> None:
    """In every format; the lines of a block are not joined."""
    document = json.loads((await post(b"one two|three")).body)
    assert document["text"] == "one\ntwo\n\nthree"
    assert [block["lines"] for block in document["blocks"]] == [[0, 1], [2]]
    text = await post(b"one two|three", accept="text/plain")
    assert text.body == b"one\ntwo\n\nthree"
    line = json.loads((await post(b"one two|three", accept="application/x-ndjson")).body)
    assert (line["text"], line["blocks"]) == (document["text"], document["blocks"])


@pytest.mark.parametrize(
    "query", [b"detect=no", b"detect=", b"detect=True", b"detect=false&detect=false",
              b"detect=true&x=1", b"x=1", b"order=", b"order=lines", b"order=Rows",
              b"key=hunter2", b"pages=", b"pages=0", b"pages=3-1",
              b"pages=1,,2", b"pages=1-2-3", b"pages=-1", b"pages=1;2", b"pages=1&pages=2",
              b"pages=" + b"1," * 500 + b"1", b"pages=9999999", "pages=\u0661".encode()],
)  # fmt: skip
async def test_invalid_parameters_are_rejected(
    query: bytes, post: Caller, reader: EchoReader
) -> None:
    """The error has the valid ones, or the valid values of the parameter; nothing is read."""
    with pytest.raises(UnknownParameter) as caught:
        await post(query=query)
    if not isinstance(caught.value, InvalidParameter):
        assert caught.value.takes == (
            "detect=true, detect=false, order=columns, order=rows, pages=1-3,7, pages=9-, "
            "partial=true, partial=false, words=word, words=char, min_confidence=0.9, "
            "page_image=jpeg, dpi=150, "
        ) + ", ".join(f"format={each.name}" for each in formats())
    assert reader.read == []


@pytest.mark.parametrize(
    ("query", "error", "name", "takes"),
    [
        (b"detect=no", InvalidParameter, "detect", "true, false"),
        (b"order=true", InvalidParameter, "order", "columns, rows"),
        (b"partial=1", InvalidParameter, "partial", "true, false"),
        (b"dpi=35", InvalidParameter, "dpi", "36-1200"),
        (b"dpi=1201", InvalidParameter, "dpi", "36-1200"),
        (b"dpi=15e1", InvalidParameter, "dpi", "36-1200"),
        (b"pages=0", InvalidPages, "pages", "1-3,7,9-"),
        (b"pages=1&pages=2", RepeatedParameter, "pages", VALID),
    ],
)
async def test_the_invalid_parameter_is_named(
    query: bytes, error: type[UnknownParameter], name: str, takes: str, post: Caller
) -> None:
    """With what is wrong with it, and its valid values."""
    with pytest.raises(error) as caught:
        await post(query=query)
    assert vars(caught.value) == {"name": name, "takes": takes}


async def test_the_response_for_a_document(post: Caller) -> None:
    """`pages` has an entry per page, like an image with a number; the text is joined."""
    document = json.loads((await post(b"one two/three")).body)
    assert set(document) == {"text", "pages", "model", "timing_ms", "request_id"}
    assert document["text"] == "one\ntwo\n\fthree"
    assert [(page["page"], page["text"]) for page in document["pages"]] == [
        (1, "one\ntwo"),
        (2, "three"),
    ]
    assert set(document["pages"][0]) == {
        "page", "text", "lines", "blocks", "width", "height", "rotation", "skew", "warnings",
        "model", "timing_ms",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "read"),
    [(b"pages=2", ["b"]), (b"pages=2-3", ["b", "c"]), (b"pages=3-", ["c", "d"]),
     (b"pages=1-,2", ["a", "b"]), (b"pages=%201-2%20", ["a", "b"])],
)  # fmt: skip
async def test_pages_are_selected(query: bytes, read: list[str], post: Caller) -> None:
    """With ?pages= the response has `pages`, even for one page."""
    document = json.loads((await post(b"a/b/c/d", query=query)).body)
    assert [page["text"] for page in document["pages"]] == read


async def test_pages_are_streamed(post: Caller, reader: EchoReader) -> None:
    """One JSON line per page; the slot is freed at the end."""
    answer = await post(b"one/two", accept="application/x-ndjson")
    assert (answer.status, answer["content-type"]) == (200, "application/x-ndjson")
    assert answer.all("content-length") == []
    lines = [json.loads(line) for line in answer.body.splitlines()]
    assert [(line["image"], line["page"], line["text"]) for line in lines] == [
        (1, 1, "one"),
        (1, 2, "two"),
    ]
    assert {line["request_id"] for line in lines} == {request_context(post.scope).request_id}
    assert reader.held == 0


async def test_no_page_is_read_before_the_previous_one_is_sent(
    post: Caller, reader: EchoReader
) -> None:
    """While the client does not receive, the next page is not read."""
    await post(b"x")
    scope = {**post.scope, "headers": [(b"content-type", b"image/png"),
                                       (b"accept", b"application/x-ndjson")]}  # fmt: skip
    reader.read.clear()
    sending, window, sent = asyncio.Event(), asyncio.Event(), 0

    async def send(message: Any) -> None:
        nonlocal sent
        if message["type"] == "http.response.body":
            sent += 1
            sending.set()
            await window.wait()

    async def receive() -> Any:
        return {"type": "http.request", "body": b"one/two/three", "more_body": False}

    response = await recognize(Request(scope, receive))
    task = asyncio.create_task(response(scope, receive, send))
    await sending.wait()
    for _ in range(20):
        await asyncio.sleep(0)  # a reader that reads ahead would do so now
    assert [text for text, _ in reader.read] == [b"one"]
    window.set()
    await task
    assert [text for text, _ in reader.read] == [b"one", b"two", b"three"]
    assert sent == 4


async def test_a_stream_at_its_deadline_ends_with_the_problem(
    post: Caller, reader: EchoReader
) -> None:
    """It is sent before the deadline cuts off the response."""
    await post(b"x")
    scope = {**post.scope, "headers": [(b"content-type", b"image/png"),
                                       (b"accept", b"application/x-ndjson")]}  # fmt: skip
    lines: list[Any] = []

    async def send(message: Any) -> None:
        lines.extend(map(json.loads, message.get("body", b"").splitlines()))
        reader.gate = asyncio.Event()  # the next page never comes

    async def receive() -> Any:
        return {"type": "http.request", "body": b"one/two", "more_body": False}

    request_context(scope).deadline = asyncio.get_running_loop().time() + 0.6
    response = await recognize(Request(scope, receive))
    await response(scope, receive, send)
    assert [line.get("text") for line in lines] == ["one", None]
    assert lines[-1]["code"] == "out_of_time"
    assert reader.held == 0


async def test_a_stream_with_an_error_ends_with_the_problem(
    post: Caller, reader: EchoReader
) -> None:
    """After the pages before it; an error on the first page gets the usual error response."""
    answer = await post(b"one/torn/three", accept="application/x-ndjson")
    first, problem = (json.loads(line) for line in answer.body.splitlines())
    assert first["text"] == "one"
    assert (problem["status"], problem["code"]) == (422, "unreadable_image")
    assert request_context(post.scope).problem == "unreadable_image"
    with pytest.raises(UnreadableImage):
        await post(b"torn/two", accept="application/x-ndjson")
    assert reader.held == 0


async def test_the_log_has_the_counts(post: Caller, multipart: Multipart) -> None:
    """Of images, pages and lines, and no text."""
    body = multipart([("image", b"first one"), ("file", b"second")])
    await post(body, content_type=f"multipart/form-data; boundary={BOUNDARY}")
    context = request_context(post.scope)
    assert (context.images, context.pages, context.lines) == (2, 2, 3)
    assert "first" not in repr(context)


async def test_without_a_slot_nothing_is_read(post: Caller, reader: EchoReader) -> None:
    """With all slots taken the request is rejected at once, without waiting for its body."""
    with reader.slot(), reader.slot():
        async with asyncio.timeout(30):
            with pytest.raises(Busy) as caught:
                await post(stalled=True)
    assert caught.value.retry_after_s == 3


async def test_slots_are_counted_per_caller(post: Caller, reader: EchoReader) -> None:
    """By key, or by address without a key."""
    await post()
    assert reader.caller == "192.0.2.1"


async def test_the_media_type_is_checked_before_a_slot_is_taken(
    post: Caller, reader: EchoReader
) -> None:
    """An unsupported body gets its error even if all slots are taken."""
    with reader.slot(), reader.slot(), pytest.raises(UnsupportedBody):
        await post(content_type="text/html")


async def test_the_receive_window_grows_with_the_slot(post: Caller, reader: EchoReader) -> None:
    """Only a request with a slot can send its whole body."""
    opened: list[int] = []
    await post(window=opened.append)
    assert len(opened) == 1
    with reader.slot(), reader.slot(), pytest.raises(Busy):
        await post(window=opened.append)
    assert len(opened) == 1


async def test_the_slot_is_freed_before_the_response_is_sent(post: Caller) -> None:
    """A client that does not receive its response holds no slot."""
    await post()
    assert post.held_at_response == 0


@pytest.mark.parametrize(
    ("body", "kind", "error"),
    [
        (b"torn", "image/png", UnreadableImage),
        (b"", "image/png", MalformedBody),
        (b'{"images": ["QQ==", "QQ==", "QQ=="]}', "application/json", TooManyImages),
    ],
)
async def test_an_error_frees_the_slot(
    body: bytes, kind: str, error: type[Exception], post: Caller, reader: EchoReader
) -> None:
    """Of the body or the reading."""
    with pytest.raises(error):
        await post(body, content_type=kind)
    assert reader.held == 0


@pytest.mark.parametrize("stalled", [True, False])
async def test_a_disconnect_frees_the_slot(
    *, stalled: bool, post: Caller, reader: EchoReader
) -> None:
    """While the body is received or the image is read."""
    reader.gate = asyncio.Event()
    task = asyncio.create_task(post(stalled=stalled))
    await reader.entered.wait()
    assert reader.held == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert reader.held == 0
