"""Quotas of pages and requests under way, over two real services that share a redis."""

import asyncio
import io
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from PIL import Image

from tests.system.service import PATIENCE_S, Service, key_stanza

QUOTAS = 'pages_per_day = 4\nlimits = { "*" = "900/minute", "/ocr" = "900/minute" }'
KEY, STANZA = key_stanza("aaaa1111", "someone", QUOTAS)
BUSY_KEY_ID = "bbbb1111"
BUSY_KEY, BUSY = key_stanza(BUSY_KEY_ID, "other", "concurrent = 1")
PNG = {"content-type": "image/png"}
Draw = Callable[..., bytes]


def _tiff(draw: Draw, *texts: str) -> bytes:
    pages = [Image.open(io.BytesIO(draw(text))) for text in texts]
    stream = io.BytesIO()
    pages[0].save(stream, "TIFF", save_all=True, append_images=pages[1:])
    return stream.getvalue()


def _left(answer: Any) -> int:
    """Return how many pages the response says are left today."""
    found: str = answer.headers["ratelimit"]
    return int(found.split('"pages-day";r=')[1].split(";", maxsplit=1)[0])


def test_pages_are_counted_over_services(
    start: Callable[..., Service], redis: tuple[str, subprocess.Popen[bytes]], draw: Draw
) -> None:
    """Charged when read, given back when not, refused when too many, and again after an outage."""
    options: dict[str, Any] = {
        "local": f"[limits]\nstorage_wait_s = 0.5\n{STANZA}{BUSY}",
        "environment": {"OCR_LIMITS__STORAGE": redis[0]},
    }
    two = _tiff(draw, "FIRST PAGE", "SECOND PAGE")
    with start(**options) as one, start(**options) as other:
        with one.client(key=KEY) as client, other.client(key=KEY) as elsewhere:
            assert _left(client.post("/ocr", files={"image": two})) == 2
            answer = elsewhere.post("/ocr?pages=2", files={"image": two})
            assert answer.json()["pages"][0]["text"] == "SECOND PAGE"
            assert _left(answer) == 1
            refused = client.post("/ocr", files={"image": two})
            assert (refused.status_code, refused.json()["code"]) == (429, "page_quota_used_up")
            assert _left(refused) == 1
            assert 0 < int(refused.headers["retry-after"]) <= 86_400
            never = client.post("/ocr", files={"image": _tiff(draw, *"ABCDE")})
            assert (never.status_code, never.json()["code"]) == (403, "pages_exceed_quota")
            assert "retry-after" not in never.headers
            torn = client.post("/ocr", files={"image": b"\x89PNG\r\n\x1a\n"})
            assert torn.status_code == 422
            os.kill(redis[1].pid, signal.SIGSTOP)
            denied = client.post("/ocr", files={"image": draw("ONE")})
            assert denied.json()["code"] == "limit_storage_failed"
            assert client.get("/readyz").status_code == 503
            os.kill(redis[1].pid, signal.SIGCONT)
            last = client.post("/ocr", files={"image": draw("ONE")})
            assert (last.json()["text"], _left(last)) == ("ONE", 0)
        _under_way(one, other, redis[0])


def _under_way(one: Service, other: Service, redis: str) -> None:
    """Expect a second request to be refused while one is under way elsewhere, and served then."""

    async def held() -> list[int]:
        refused = asyncio.Event()

        async def slowly() -> AsyncIterator[bytes]:
            yield b"no image"
            await refused.wait()

        async with one.async_client(key=BUSY_KEY) as client:
            first = asyncio.create_task(client.post("/ocr", content=slowly(), headers=PNG))
            await asyncio.to_thread(_until_held, redis)
            async with other.async_client(key=BUSY_KEY) as elsewhere:
                second = await elsewhere.post("/ocr", content=b"x", headers=PNG)
                refused.set()
                statuses = [(await first).status_code, second.status_code]
                third = await elsewhere.post("/ocr", content=b"x", headers=PNG)
        assert third.headers["ratelimit-policy"].count('"concurrent";q=1;qu=') == 1
        return [*statuses, third.status_code]

    assert asyncio.run(held()) == [415, 429, 415]


def _until_held(redis: str) -> None:
    """Wait until the request's lease is held."""
    socket = redis.removeprefix("async+redis+unix://")
    command = ["redis-cli", "-s", socket, "zcard", f"sealed-ocr:leases/{BUSY_KEY_ID}"]
    due = time.monotonic() + PATIENCE_S
    while subprocess.run(command, capture_output=True, check=True).stdout != b"1\n":
        assert time.monotonic() < due
        time.sleep(0.02)
