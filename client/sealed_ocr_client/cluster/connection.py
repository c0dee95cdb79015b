"""The connection to the scheduler of a cluster. If it is lost, another one is made."""

import asyncio
import logging
import ssl
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import dask
from distributed import Client, Security

from sealed_ocr_client.errors import Unreachable, Untrusted, UnusableOption
from sealed_ocr_client.trust import trust_of

CONNECT_S = 10.0
AGAIN_S = 1.0
CLOSE_S = 3.0
OPTIONS = {
    "distributed.comm.timeouts.connect": f"{CONNECT_S:.0f}s",
    "distributed.comm.timeouts.tcp": "15s",
    "distributed.comm.require-encryption": True,
    "distributed.admin.large-graph-warning-threshold": "1GB",  # the bytes of a document
    "distributed.client.preload": [],
    "distributed.admin.low-level-log-length": 1,  # messages that are kept, documents included
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """The cluster's CA, and the client's certificate and key."""

    ca: Path
    certificate: Path
    key: Path | None

    def trust(self) -> ssl.SSLContext:
        """Return a context with them. The nodes' certificates have no names of hosts.

        Raises:
            UnusableOption: a file cannot be read, or is not what it should be.

        """
        context = trust_of(self.ca, self.certificate, self.key)
        if context is None:
            raise UnusableOption("A cluster needs --ca, --certificate and --certificate-key.")
        context.check_hostname = False
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        return context

    def security(self) -> Security:
        """Return them as distributed takes them."""
        return Security(  # type: ignore[no-untyped-call]
            require_encryption=True,
            tls_ca_file=str(self.ca),
            tls_client_cert=str(self.certificate),
            tls_client_key=str(self.key or self.certificate),
            tls_min_version=ssl.TLSVersion.TLSv1_3,
        )


class Connection:
    """Connects to a scheduler, again if need be; gives up after `max_wait_s` without one."""

    def __init__(
        self,
        address: str,
        credentials: Credentials,
        *,
        max_wait_s: float,
        say: Callable[[str], None],
    ) -> None:
        """Raise what is wrong with the arguments.

        Raises:
            UnusableOption: the address is none, or a certificate cannot be used.

        """
        parts = urlsplit(address)
        try:
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
        if parts.scheme != "tls" or not host or not port:
            raise UnusableOption(
                f"--cluster: {address!r} is no address such as tls://10.0.0.1:8786."
            )
        self._place = (host, port)
        self._address = address
        self._credentials = credentials
        self._trust = credentials.trust()
        self._max_wait_s = max_wait_s
        self._say = say
        self._client: Client | None = None
        self._lock = asyncio.Lock()
        self.topic = ""
        self.begun: set[str] = set()
        """The keys of the pages that workers are reading."""

    async def client(self) -> Client:
        """Return the client in use; the first call connects.

        Raises:
            Unreachable: there is no scheduler.
            Untrusted: one side does not accept the certificate of the other.

        """
        async with self._lock:
            if self._client is None:
                self._client = await self._connect()
            return self._client

    async def lost(self, client: Client) -> None:
        """Replace a client whose connection has been lost; wait for a scheduler as long as allowed.

        Raises:
            Unreachable: there has been no scheduler for `max_wait_s`.
            Untrusted: one side does not accept the certificate of the other.

        """
        async with self._lock:
            if client is not self._client:
                return  # another page has noticed it, too
            self._say(
                f"The scheduler {self._address} is lost: waiting for it up to "
                f"{self._max_wait_s:.0f} s. The pages that are written stay."
            )
            await _close(client)
            until = time.monotonic() + self._max_wait_s
            while True:
                try:
                    self._client = await self._connect()
                except Unreachable:
                    if time.monotonic() > until:
                        raise
                    await asyncio.sleep(AGAIN_S)
                else:
                    self._say("Connected to the scheduler again: going on.")
                    return

    async def aclose(self) -> None:
        """Disconnect: the scheduler forgets what it was asked for."""
        if self._client is not None:
            await _close(self._client)

    async def _connect(self) -> Client:
        await self._probe()
        _silence()
        dask.config.set(OPTIONS)
        try:
            with warnings.catch_warnings():
                # About versions of libraries; the workers compare those of the project.
                warnings.simplefilter("ignore")
                client: Client = await Client(  # type: ignore[no-untyped-call]
                    self._address,
                    security=self._credentials.security(),
                    asynchronous=True,
                    set_as_default=False,
                    timeout=CONNECT_S,
                )
        except (OSError, TimeoutError) as error:
            raise Unreachable(self._unreachable(type(error).__name__)) from None
        except ImportError as error:
            raise UnusableOption(f"The scheduler has another distributed: {error}") from None
        self.topic = f"begun-{client.id}"
        client.subscribe_topic(  # type: ignore[no-untyped-call]
            self.topic, lambda event: self._announced(*event[1])
        )
        return client

    def _announced(self, key: str, begins: bool) -> None:  # noqa: FBT001 - as it is sent
        if begins:
            self.begun.add(key)
        else:
            self.begun.discard(key)

    async def _probe(self) -> None:
        """Make a connection of our own, whose errors say more than distributed's.

        Raises:
            Unreachable: nothing listens there.
            Untrusted: one side does not accept the certificate of the other.

        """
        try:
            async with asyncio.timeout(CONNECT_S):
                reader, writer = await asyncio.open_connection(*self._place, ssl=self._trust)
                try:
                    # In TLS 1.3 a server refuses after the handshake; a scheduler speaks first.
                    if not await reader.read(1):
                        raise ConnectionResetError("it closed the connection")
                finally:
                    writer.close()
                    with suppress(OSError):
                        await writer.wait_closed()
        except ssl.SSLCertVerificationError:
            raise Untrusted(
                f"The certificate of {self._address} is not of the CA in {self._credentials.ca}."
            ) from None
        except ssl.SSLError as error:
            raise Untrusted(
                f"The scheduler {self._address} refuses {self._credentials.certificate} "
                f"({error.reason}): it must be from the cluster's CA, and not have expired "
                "(scripts/cluster certificate NAME --client)."
            ) from None
        except TimeoutError:
            raise Unreachable(self._unreachable(f"no response in {CONNECT_S:.0f} s")) from None
        except OSError as error:
            raise Unreachable(self._unreachable(error.strerror or str(error))) from None

    def _unreachable(self, reason: str) -> str:
        return (
            f"No connection to the scheduler {self._address} ({reason}). Is scripts/cluster "
            "scheduler running there?"
        )


def _silence() -> None:
    """Switch distributed's log off: what concerns the user is told by this class."""
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] == "distributed":
            logging.getLogger(name).disabled = True


async def _close(client: Client) -> None:
    with suppress(OSError, TimeoutError, asyncio.CancelledError):
        async with asyncio.timeout(CLOSE_S):
            await client.close(timeout=CLOSE_S)  # type: ignore[no-untyped-call]
