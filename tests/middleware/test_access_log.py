"""The access log: one line per response, without content."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from middleware.access_log import AccessLog, FunctionName
from middleware.headers import ResponseHeaders
from middleware.request_context import request_context
from tests.asgi import call, read_all, scope_of

pytestmark = pytest.mark.anyio

FIELDS = [
    "at",
    "request_id",
    "address",
    "key",
    "key_id",
    "method",
    "function",
    "http",
    "status",
    "complete",
    "problem",
    "bytes",
    "images",
    "pages",
    "lines",
    "ms",
]


async def test_a_line_has_every_field(log: list[str]) -> None:
    """In this order; the request id is the one in the response."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        context = request_context(scope)
        context.key_name, context.key_id, context.lines = "accounting", "a1b2c3d4", 7
        context.images, context.pages = 2, 3
        context.received_bytes = 99
        await read_all(scope, receive, send)

    logged = AccessLog(
        ResponseHeaders(FunctionName(app, name="/ocr"), hsts="max-age=1"), write=log.append
    )
    answer = await call(logged, scope_of("POST", "/ocr"))
    (line,) = map(json.loads, log)
    assert list(line) == FIELDS
    assert line["request_id"] == answer["x-request-id"]
    assert line["ms"] >= 0
    del line["at"], line["request_id"], line["ms"]
    assert line == {
        "address": "192.0.2.1",
        "key": "accounting",
        "key_id": "a1b2c3d4",
        "method": "POST",
        "function": "/ocr",
        "http": "2",
        "status": 200,
        "complete": True,
        "problem": None,
        "bytes": 99,
        "images": 2,
        "pages": 3,
        "lines": 7,
    }


@given(st.text(), st.text())
def test_no_value_can_forge_a_line(name: str, address: str) -> None:
    """Control characters and others are escaped: one response, one line of ASCII."""
    log: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request_context(scope).key_name = name
        await read_all(scope, receive, send)

    asyncio.run(call(AccessLog(app, write=log.append), scope_of(client=address)))
    (line,) = log
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["key"] == name


async def test_no_content_is_logged(log: list[str]) -> None:
    """Key, query, path, cookies, file name, body and unknown methods are not in the line."""
    scope = scope_of(
        "POST",
        "/hunter2",
        headers={
            "x-api-key": "hunter2",
            "authorization": "Bearer hunter2",
            "cookie": "hunter2",
            "user-agent": "hunter2",
            "referer": "hunter2",
            "x-request-id": "hunter2",
            "content-disposition": "form-data; filename=hunter2",
        },
        query=b"key=hunter2",
    )
    await call(AccessLog(read_all, write=log.append), scope, b"hunter2")
    scope["method"] = "hunter2"
    await call(AccessLog(read_all, write=log.append), scope, b"hunter2")
    assert "hunter2" not in log[0] + log[1]


async def test_an_exception_is_logged_and_raised(log: list[str]) -> None:
    """The line has no status."""

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise KeyError("hunter2")

    with pytest.raises(KeyError):
        await call(AccessLog(app, write=log.append), scope_of())
    (line,) = map(json.loads, log)
    assert (line["status"], line["complete"]) == (None, False)
    assert "hunter2" not in log[0]


async def test_the_traceback_of_an_internal_error_is_logged(log: list[str]) -> None:
    """At the end of the line."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request_context(scope).traceback = ["KeyError", "ocr.py:1 recognize"]
        await read_all(scope, receive, send)

    await call(AccessLog(app, write=log.append), scope_of())
    (line,) = map(json.loads, log)
    assert list(line) == [*FIELDS, "traceback"]
    assert line["traceback"] == ["KeyError", "ocr.py:1 recognize"]


async def test_a_disconnect_is_logged(log: list[str]) -> None:
    """The request is cancelled; its line says that the response is incomplete."""
    reached = asyncio.Event()

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        reached.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(call(AccessLog(app, write=log.append), scope_of()))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (line,) = map(json.loads, log)
    assert (line["status"], line["complete"]) == (200, False)


async def test_a_response_that_was_not_sent_is_not_complete(log: list[str]) -> None:
    """If sending fails, the line has no status."""

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(_message: Message) -> None:
        raise OSError

    with pytest.raises(OSError):
        await AccessLog(read_all, write=log.append)(scope_of(), receive, send)
    (line,) = map(json.loads, log)
    assert (line["status"], line["complete"]) == (None, False)


async def test_other_scopes_are_not_logged(log: list[str]) -> None:
    """A lifespan is not a request."""
    seen: list[Any] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope)

    await AccessLog(app, write=log.append)({"type": "lifespan"}, None, None)  # type: ignore[arg-type]
    assert seen == [{"type": "lifespan"}]
    assert log == []
