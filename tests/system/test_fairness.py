"""One key's load does not keep another's requests out."""

import asyncio
import time
from collections.abc import Callable

import httpx2
import pytest

from bench.slow_pdfs import form_fields, poster
from tests.model.processes import until
from tests.system.processes import decoders_of
from tests.system.service import PATIENCE_S, Service, key_stanza

pytestmark = pytest.mark.anyio
Draw = Callable[..., bytes]
SETTINGS = "[engine]\nprocesses = 1\nmax_waiting = 3\n"
OFTEN = 'limits = { "*" = "10000/minute", "/ocr" = "10000/minute" }'


class Stalled:
    """A request that holds a slot: the service waits for its body, which never arrives."""

    async def begin(self, service: Service, key: str) -> None:
        """Send the head, and wait until the service wants the body."""
        self.reader, self.writer = await asyncio.open_connection(
            "localhost", service.ports["https"], ssl=service.trust(), server_hostname="localhost"
        )
        fields = ["POST /ocr HTTP/1.1", "Host: localhost", f"X-API-Key: {key}"]
        fields += ["Content-Type: image/png", "Content-Length: 1000", "Expect: 100-continue"]
        self.writer.write("\r\n".join([*fields, "", ""]).encode())
        assert await self._status() == 100

    async def end(self) -> int | None:
        """Leave; return the status of the answer that came before, if any did."""
        try:
            async with asyncio.timeout(1):
                return await self._status()
        except TimeoutError:
            return None
        finally:
            self.writer.transport.abort()

    async def _status(self) -> int:
        return int((await self.reader.readuntil(b"\r\n\r\n")).split()[1])


async def refused_or_read(client: httpx2.AsyncClient, image: bytes) -> int:
    """Send an image and return the answer's status."""
    answer = await client.post("/ocr", content=image, headers={"Content-Type": "image/png"})
    return answer.status_code


def wait_until_logged(service: Service, requests: int) -> None:
    """Wait until so many requests are in the access log: the service has noticed their end."""
    due = time.monotonic() + PATIENCE_S
    while sum('"request_id"' in line for line in service.log) < requests:
        assert time.monotonic() < due
        time.sleep(0.01)


@pytest.mark.parametrize("same", [False, True])
async def test_another_key_finds_a_place(
    start: Callable[..., Service], draw: Draw, *, same: bool
) -> None:
    """When one key holds all slots, a request of another key replaces the newest of them.

    Control: a further request of the same key is refused, and takes nobody's place.
    """
    greedy, greedy_entry = key_stanza("aaaa", "greedy", OFTEN)
    modest, modest_entry = key_stanza("bbbb", "modest", OFTEN)
    with start(local=SETTINGS + greedy_entry + modest_entry) as service:
        held = [Stalled() for _ in range(4)]
        for each in held:
            await each.begin(service, greedy)
        async with service.async_client(key=greedy if same else modest) as client:
            status = await refused_or_read(client, draw("4711"))
        ended = await asyncio.gather(*(each.end() for each in held))
        await asyncio.to_thread(wait_until_logged, service, len(held) + 1)
    # The newest makes room.
    expected = (503, [None] * 4) if same else (200, [None, None, None, 503])
    assert (status, ended) == expected


@pytest.mark.parametrize("document", [form_fields(24), poster(60)], ids=["form", "poster"])
async def test_a_key_that_sends_slow_documents_leaves_time_for_another(
    start: Callable[..., Service], draw: Draw, document: bytes
) -> None:
    """It has all decoders, and another key's images are read before one of its documents ends."""
    slow, slow_entry = key_stanza("aaaa", "slow", OFTEN)
    honest, honest_entry = key_stanza("bbbb", "honest", OFTEN)
    local = "[engine]\ndecoders = 2\ndecode_timeout_s = 24\n" + slow_entry + honest_entry
    headers = {"Content-Type": "application/pdf"}
    with start(local=local) as service:
        async with (
            service.async_client(key=slow) as client,
            service.async_client(key=honest) as other,
        ):
            assert await refused_or_read(other, draw("4711")) == 200
            sending = [
                asyncio.create_task(client.post("/ocr", content=document, headers=headers))
                for _ in range(4)
            ]
            await until(lambda: len(decoders_of(service)) >= 2)
            statuses = [await refused_or_read(other, draw("4711")) for _ in range(3)]
            ended = [task for task in sending if task.done()]
            for task in sending:
                task.cancel()
            await asyncio.wait(sending)
    assert statuses == [200, 200, 200]
    assert not ended
