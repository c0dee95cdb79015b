"""Traffic as a service meets it in its life: good, bad, broken off, more than it can take."""

import asyncio
import contextlib
import functools
import random
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import h2.exceptions
import httpx2

from tests.server.clients import Client
from tests.system import uploads
from tests.system.service import Service

_NUMBER = re.compile(r"\d{8}")
# What can be sent before the service has to give a window. httpx2 does not expect to be answered
# before it has sent the whole body, which HTTP/2 allows: it fails, or waits until the connection
# is closed, and the answer is lost.
_SENT_AT_ONCE = 60_000
_LARGE_PATIENCE_S = 20
_STREAMS = 8  # taken back on a connection before it is closed

Call = Callable[[], Awaitable[None]]


class Traffic:
    """Callers of one service, each with a connection, until they are stopped.

    `faults` are what no caller should have met; an answer with a number that stands on another's
    page is one. Once `ending` is set, connections may break.
    """

    def __init__(self, service: Service, key: str, *, seed: int = 1) -> None:
        self._service = service
        self._key = key
        self._chance = chance = random.Random(seed)  # noqa: S311 - to be told apart, not guessed
        self._pages = [uploads.page(chance, each) for each in uploads.numbers(chance, 240)]
        self._documents = [uploads.document(chance, each) for each in uploads.numbers(chance, 24)]
        self._numbers = {number for number, _ in self._pages + self._documents}
        self._small = [page for page in self._pages if len(page[1]) < _SENT_AT_ONCE]
        self._large = [page for page in self._pages if len(page[1]) >= _SENT_AT_ONCE]
        self._bad = [bad for bad in uploads.unreadable(chance) if len(bad) < _SENT_AT_ONCE]
        self._over = asyncio.Event()
        self.ending = False
        self.answers: Counter[str] = Counter()
        self.misread = 0
        self.faults: list[str] = []

    async def run(self) -> None:
        """Let every caller call again and again, until `end`."""
        self._over.clear()
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(self._share_connection(self._read, places=4))
            group.create_task(self._share_connection(self._read_document, places=2))
            group.create_task(self._share_connection(self._send_bad, places=2))
            group.create_task(self._share_connection(self._send_without_key, places=1))
            for call in (self._read_large, self._hang_up, self._break_off, self._reset):
                group.create_task(self._repeat(call))

    def end(self) -> None:
        """Have the callers stop once what they have under way is answered."""
        self._over.set()

    async def _share_connection(
        self, call: Callable[[httpx2.AsyncClient], Awaitable[None]], *, places: int
    ) -> None:
        """Make calls over one connection, `places` at a time."""
        async with self._service.async_client(key=self._key) as client:
            one = functools.partial(call, client)
            await asyncio.gather(*(self._repeat(one) for _ in range(places)))

    async def _repeat(self, call: Call) -> None:
        while not self._over.is_set():
            try:
                await call()
            except (httpx2.TransportError, OSError) as error:
                if self.ending:
                    return
                self.faults.append(repr(error))
                await asyncio.sleep(1)

    async def _read(self, client: httpx2.AsyncClient) -> None:
        await self._expect_text(client, *self._chance.choice(self._small))

    async def _read_document(self, client: httpx2.AsyncClient) -> None:
        await self._expect_text(client, *self._chance.choice(self._documents))

    async def _send_bad(self, client: httpx2.AsyncClient) -> None:
        # Damage that a library forgives leaves an image, of whatever.
        await self._post(client, self._chance.choice(self._bad), {200, 413, 415, 422})
        await asyncio.sleep(self._chance.uniform(0, 0.1))

    async def _send_without_key(self, client: httpx2.AsyncClient) -> None:
        client.headers.pop("x-api-key", None)
        await self._post(client, self._small[0][1], {401, 429})
        await asyncio.sleep(1)

    async def _read_large(self) -> None:
        """Send a large page over a new connection; it may be refused before all is sent."""
        async with self._service.async_client(key=self._key) as client:
            client.timeout = httpx2.Timeout(_LARGE_PATIENCE_S)
            try:
                await self._expect_text(client, *self._chance.choice(self._large))
            except (httpx2.ProtocolError, httpx2.TimeoutException):
                self.answers["refused early"] += 1
        await asyncio.sleep(self._pause())

    async def _expect_text(self, client: httpx2.AsyncClient, number: str, upload: bytes) -> None:
        """Send what can be read and look at the numbers in its text."""
        answer = await self._post(client, upload, {200})
        if answer.is_success:
            seen = set(_NUMBER.findall(answer.text.replace(" ", "")))
            self.misread += number not in seen
            if seen & self._numbers - {number}:
                self.faults.append("an answer holds the text of another's page")

    async def _post(
        self, client: httpx2.AsyncClient, upload: bytes, expected: set[int]
    ) -> httpx2.Response:
        """Send an upload and note the answer; where the service is busy, wait a little."""
        answer = await client.post("/ocr", files={"file": upload}, headers={"accept": "text/plain"})
        status = answer.status_code
        self.answers[str(status)] += 1
        if status == httpx2.codes.SERVICE_UNAVAILABLE and answer.json()["code"] == "busy":
            await asyncio.sleep(self._pause())
        elif status not in expected:
            self.faults.append(f"{status} instead of {sorted(expected)}: {answer.text[:300]}")
        return answer

    def _pause(self) -> float:
        """Return for how many seconds a refused caller waits."""
        return self._chance.uniform(0.2, 0.8)

    async def _hang_up(self) -> None:
        """Send a page and leave before its answer is there."""
        upload = self._chance.choice(self._pages)[1]
        async with self._service.async_client(key=self._key) as client:
            await client.get("/healthz")  # what is cut off is to be a request, no handshake
            with contextlib.suppress(TimeoutError, httpx2.ProtocolError):
                async with asyncio.timeout(self._chance.uniform(0.02, 1)):
                    await client.post("/ocr", files={"file": upload})
        self.answers["hung up"] += 1
        await asyncio.sleep(self._pause())

    async def _break_off(self) -> None:
        """Leave in the middle of an upload."""
        await asyncio.to_thread(self._send_by_frames, self._chance.choice(self._pages)[1], [0.1])
        self.answers["broken off"] += 1
        await asyncio.sleep(self._pause())

    async def _reset(self) -> None:
        """Take requests back, in the middle of their bodies or after, and keep the connection."""
        upload = self._chance.choice(self._pages)[1]
        pauses = [self._chance.uniform(0, 0.5) for _ in range(_STREAMS)]
        await asyncio.to_thread(self._send_by_frames, upload, pauses, reset=True)
        self.answers["reset"] += _STREAMS
        await asyncio.sleep(self._pause())

    def _send_by_frames(self, upload: bytes, pauses: list[float], *, reset: bool = False) -> None:
        server: Any = SimpleNamespace(ca=self._service.authority, port=self._service.ports["https"])
        head = {
            ":method": "POST",
            ":path": "/ocr",
            ":scheme": "https",
            ":authority": "localhost",
            "x-api-key": self._key,
            "content-type": "application/octet-stream",
            "content-length": str(len(upload)),
        }
        with Client(server) as client:
            for number, pause_s in enumerate(pauses, 1):
                stream = client.h2.get_next_available_stream_id()
                whole = number % 2 == 0
                with contextlib.suppress(h2.exceptions.ProtocolError):  # it was answered already
                    client.h2.send_headers(stream, head.items())
                    client.send(stream, upload[: None if whole else len(upload) // 2], end=whole)
                    client.wait(lambda: False, pause_s)
                    if reset:
                        client.h2.reset_stream(stream)
                client.flush()
                client.events.clear()
