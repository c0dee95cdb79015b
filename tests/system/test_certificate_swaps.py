"""The certificate is swapped again and again while HTTP/2 clients work."""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from cryptography import x509

from tests.system.service import PATIENCE_S, Service, key_stanza
from tls import signing

pytestmark = pytest.mark.anyio

LOCAL = """
[tls]
reload_poll_s = 0.1
[limits]
per_address = "1000000/minute"
[[functions]]
path = "/length"
handler = "counting:length"
scope = "ocr"
methods = ["POST"]
limits = []
max_body_bytes = 100000
body_timeout_s = 60
timeout_s = 60
"""
OFTEN = "1000000/minute"
COUNTING = """
from starlette.responses import PlainTextResponse

async def length(request):
    return PlainTextResponse(str(len(await request.body())))
"""
BODY = b"x" * 50_000
REQUESTS = 10  # on one connection; the next one is another handshake


class Swaps:
    """The certificates of a service, oldest first, and those that new handshakes must not see."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._folder = service.authority.parent
        self._serials = [self._serial((self._folder / "certificate.pem").read_bytes())]
        self.settled = 0

    async def swap(self) -> None:
        """Replace certificate and key, and wait until the log says that they are served."""
        told = self._told()
        self.put()
        due = time.monotonic() + PATIENCE_S
        while self._told() == told:
            assert time.monotonic() < due, "the new certificate was not taken up"
            await asyncio.sleep(0.01)
        self.settled = len(self._serials) - 1

    def put(self) -> None:
        """Make another pair and replace the files one after the other."""
        ca, ca_key = (self._folder / name for name in ("ca.pem", "ca.key"))
        names, now = ("localhost", "127.0.0.1", "::1"), datetime.now(UTC)
        leaf, key = signing.make_leaf(
            ca.read_bytes(), ca_key.read_bytes(), names, now, timedelta(days=90)
        )
        self._serials.append(self._serial(leaf))
        for name, content in (("certificate.key", key), ("certificate.pem", leaf)):
            fresh = self._folder / f"{name}.fresh"
            fresh.write_bytes(content)
            fresh.replace(self._folder / name)

    async def seen(self) -> int:
        """Tell which certificate a new connection sees."""
        async with self._service.async_client(key="public") as client:
            return self.shown_in(await client.get("/healthz"))

    def shown_in(self, answer: httpx2.Response) -> int:
        """Tell which certificate an answer's connection was opened under."""
        assert (answer.status_code, answer.http_version) == (200, "HTTP/2")
        secured: ssl.SSLObject = answer.extensions["network_stream"].get_extra_info("ssl_object")
        return self._serials.index(str((secured.getpeercert() or {})["serialNumber"]))

    def _told(self) -> int:
        return sum('"certificate_loaded"' in line for line in self._service.log)

    @staticmethod
    def _serial(leaf: bytes) -> str:
        serial = f"{x509.load_pem_x509_certificate(leaf).serial_number:X}"
        return serial.zfill(len(serial) + len(serial) % 2)  # as getpeercert writes it


class Clients:
    """Callers that open connections one after another until they are stopped."""

    def __init__(self, service: Service, swaps: Swaps, key: str) -> None:
        self._service = service
        self._swaps = swaps
        self._key = key
        self._over = False
        self.answers = 0
        self.handshakes = 0

    async def during(self, number: int, work: Callable[[], Awaitable[None]]) -> None:
        """Have so many clients call until `work` is done; a request that fails, fails the test."""
        async with asyncio.TaskGroup() as group:
            for _ in range(number):
                group.create_task(self._call())
            await work()
            self._over = True

    async def _call(self) -> None:
        while not self._over:
            async with self._service.async_client(key=self._key) as client:
                await self._connect(client)
                for _ in range(REQUESTS):
                    answer = await client.post("/length", content=BODY)
                    assert (answer.status_code, answer.text) == (200, str(len(BODY)))
                    self.answers += 1

    async def _connect(self, client: httpx2.AsyncClient) -> None:
        """Open a connection and check which certificate is presented."""
        oldest = self._swaps.settled
        shown = self._swaps.shown_in(await client.get("/healthz"))
        assert shown >= oldest, "a handshake saw an older certificate"
        self.handshakes += 1


@pytest.mark.parametrize(
    ("times", "clients"),
    [
        (8, 6),
        pytest.param(50, 20, marks=[pytest.mark.soak, pytest.mark.timeout(600)]),
    ],
)
async def test_swapped_under_load(start: Callable[..., Service], times: int, clients: int) -> None:
    """No request fails, and from the log's word on each new handshake sees the newest."""
    key, stanza = key_stanza("swapkey1", "swaps", f'limits = {{ "*" = "{OFTEN}" }}')
    with start(local=LOCAL + stanza, modules={"counting.py": COUNTING}) as service:
        swaps = Swaps(service)
        callers = Clients(service, swaps, key)

        async def work() -> None:
            for number in range(1, times + 1):
                await swaps.swap()
                assert await swaps.seen() == number

        await callers.during(clients, work)
        assert callers.answers > REQUESTS * clients
        assert callers.handshakes > clients


async def test_an_older_certificate_is_detected(start: Callable[..., Service]) -> None:
    """The check above is not blind: a service that does not look at its files shows the first."""
    with start(local=LOCAL.replace("0.1", "3600"), modules={"counting.py": COUNTING}) as service:
        swaps = Swaps(service)
        swaps.put()
        assert await swaps.seen() == 0
