"""The TLS contexts that serve: hardened, and a new one for each new certificate."""

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from hypercorn.config import Config

from server.connection_limit import ConnectionLimit
from server.options import ServerOptions
from tls.certificates import CertificateError, CertificateFacts
from tls.chain import check_chain
from tls.watch import FileWatch, poll_every

SUITES = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""TLS 1.2: forward secrecy and authenticated encryption only; TLS 1.3 has nothing else."""

OPTIONS = ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE


def harden(context: ssl.SSLContext, config: Config, oldest: ssl.TLSVersion) -> None:
    """Restore what Hypercorn takes away, and refuse what is older than `oldest`.

    It assigns `options = OP_NO_COMPRESSION` (config.py:177), which clears every default that
    Python and OpenSSL set, server preference among them; its suites leave out ChaCha20.
    """
    defaults = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).options
    # Setting OP_NO_SSLv3 is deprecated; the minimum version says the same and more.
    context.options |= (defaults & ~ssl.OP_NO_SSLv3) | OPTIONS
    context.minimum_version = oldest
    if config.ciphers == Config.ciphers:  # an operator's own choice stays
        context.set_ciphers(SUITES)


def make_context(
    config: Config,
    create: Callable[[Config], Any],
    options: ServerOptions,
    gate: ConnectionLimit,
) -> tuple[ssl.SSLContext, CertificateFacts]:
    """Make a context of the files as they are, by Hypercorn's own `create`, hardened.

    Raises: CertificateError.
    """
    config.keyfile_password = options.key_passphrase
    certfile, keyfile = str(config.certfile), str(config.keyfile)
    facts = check_chain(certfile, keyfile, options.key_passphrase, options.host)
    try:
        context: ssl.SSLContext = create(config)
    except (ssl.SSLError, OSError) as error:
        raise CertificateError(f"{certfile} or {keyfile} changed while it was read") from error
    harden(context, config, options.oldest)
    if options.clients is not None:
        options.clients.apply(context)
        gate.verified_by(context, options.clients.generation)
    context.sslobject_class = gate.ssl_object_class()
    return context, facts


class ReloadableContext(ssl.SSLContext):
    """What Hypercorn listens with: hands every new connection to the newest context (#233).

    A context can be given another certificate, but not fewer authorities, other revocation lists
    or new keys for its session tickets. Connections hold the context they began with.
    """

    newest: ssl.SSLContext

    def __new__(cls, newest: ssl.SSLContext) -> Self:
        """Stand before `newest`."""
        self = super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)
        self.newest = newest
        return self

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,  # noqa: FBT001, FBT002 - ssl's signature
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """Begin a connection, as asyncio and uvloop do."""
        return self.newest.wrap_bio(incoming, outgoing, server_side, server_hostname, session)


@dataclass(slots=True)
class Served:
    """The certificate new handshakes get, and what is wrong with the files if they changed."""

    facts: CertificateFacts
    loaded_at: datetime
    problem: str | None = None


class Contexts:
    """One context after another, each by `make` from the files as they are.

    What `make` refuses is never served: the context before stays, and the problem is told once.
    """

    def __init__(
        self,
        make: Callable[[], tuple[ssl.SSLContext, CertificateFacts]],
        files: Callable[[], list[str]],
        *,
        ticket_key_s: float,
        on_reload: Callable[[CertificateFacts], None],
        on_error: Callable[[CertificateError], None],
    ) -> None:
        self._make = make
        self._ticket_key_s = ticket_key_s
        self._on_reload = on_reload
        self._on_error = on_error
        self._watch = FileWatch(files)
        self._made = time.monotonic()
        context, facts = make()
        self.live = ReloadableContext(context)
        self.served = Served(facts, _now())

    def start(self, poll_s: float) -> None:
        """Look at the files again and again, on the running loop."""
        poll_every(poll_s, self.look)

    def look(self) -> None:
        """Take up files that have changed and rested; renew what encrypts session tickets.

        Those keys are the context's own. Whoever steals one can read what it has resumed by
        TLS 1.2's tickets, so none lives long.
        """
        if self._watch.poll():
            self._renew(self._on_reload)
        elif self._watch.up_to_date and self._age_s() > self._ticket_key_s:
            self.renew()

    def renew(self) -> None:
        """Make a context anew for what is not its certificate: ticket keys, or whom it trusts."""
        self._renew(lambda _facts: None)

    def reload(self) -> None:
        """Take up the files as they are now."""
        self._watch.accept()
        self._renew(self._on_reload)

    def _age_s(self) -> float:
        return time.monotonic() - self._made

    def _renew(self, tell: Callable[[CertificateFacts], None]) -> None:
        self._made = time.monotonic()
        try:
            context, facts = self._make()
        except CertificateError as error:
            self._refuse(error)
            return
        except Exception as error:  # noqa: BLE001 - whatever it is: the context before serves on
            self._refuse(CertificateError(f"it cannot be loaded: {type(error).__name__}"))
            return
        self.live.newest = context
        self.served = Served(facts, _now())
        tell(facts)

    def _refuse(self, error: CertificateError) -> None:
        self.served.problem = str(error)
        self._on_error(error)


def _now() -> datetime:
    return datetime.now(UTC)
