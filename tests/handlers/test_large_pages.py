"""Pages with very many words leave turns to other requests while they are checked and written."""

import json
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import asdict
from typing import Any

import pytest
from starlette.requests import Request

from handlers import large_pages
from handlers.formats.format import ResponseInfo
from handlers.formats.registry import format_named
from handlers.ocr import recognize
from model import recognition
from model.options import ReadingOptions, WordMode
from model.reader import Block, Line, Page, Word
from tests.handlers.echo import EchoReader, ocr_scope
from tests.stalls import longest_stall_ms

pytestmark = pytest.mark.anyio

WORDS, LINES = 50, 300
ROUNDS = 4  # the fastest is what the work takes; others may have an interruption in them
BOX = ((0, 0), (90, 0), (90, 20), (0, 20))
LINE = Line(" ".join(["word"] * WORDS), 0.9, BOX, (Word("word", BOX, 0.9),) * WORDS)
BLOCK = Block(BOX, tuple(range(LINES)), "text")
PLACE = (90, 20, 0, 0.0, "echo", {"total": 1.0})
PAGE = Page(1, bool(0), (LINE,) * LINES, (BLOCK,), *PLACE)
OPTIONS = ReadingOptions(words=WordMode.WORD)


class LargeReader(EchoReader):
    """Reads one page with 15,000 words."""

    async def pages(self, upload: bytes, **options: Any) -> AsyncGenerator[Page]:
        """Yield the page."""
        async for _ in super().pages(upload, **options):
            yield PAGE


async def _read(name: str) -> None:
    """Read the page in a format."""
    scope = ocr_scope(LargeReader(), f"format={name}".encode(), {})

    async def receive() -> Any:
        return {"type": "http.request", "body": b"one"}

    async def send(message: Any) -> None:
        assert message

    await (await recognize(Request(scope, receive)))(scope, receive, send)


def _all_at_once_ms(work: Callable[[], object]) -> float:
    """Return what it takes, in processor time."""
    began = time.thread_time()
    work()
    return (time.thread_time() - began) * 1000


@pytest.mark.parametrize("name", ["json", "ndjson", "alto"])
async def test_a_large_page_is_written_beside_other_requests(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None waits for a quarter of the time that it takes; all of it without the threads."""

    def write() -> None:
        writer = format_named(name).writer(ResponseInfo("id"))
        writer.page(1, PAGE)
        writer.end()

    whole_ms = min(_all_at_once_ms(write) for _ in range(ROUNDS))
    stall_ms = min([await longest_stall_ms(_read(name)) for _ in range(ROUNDS)])
    assert stall_ms * 4 < whole_ms
    monkeypatch.setattr(large_pages, "MOST_AT_ONCE", 1 << 30)
    assert await longest_stall_ms(_read(name)) * 2 > whole_ms


async def test_a_large_result_is_checked_beside_other_requests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same for what an engine returns."""
    result = {
        "lines": [asdict(LINE)] * LINES,
        "blocks": [{**asdict(BLOCK), "cells": []}],
        "rotation": 0,
        "skew": 0.0,
        "detect_ms": 1.0,
        "recognise_ms": 1.0,
    }
    content = recognition.Written(json.dumps(result).encode(), b"")

    async def check() -> None:
        assert len((await recognition.checked(content, OPTIONS)).lines) == LINES

    stall_ms = min([await longest_stall_ms(check()) for _ in range(ROUNDS)])
    monkeypatch.setattr(recognition, "_LARGE_BYTES", 1 << 30)
    assert await longest_stall_ms(check()) > 4 * stall_ms
