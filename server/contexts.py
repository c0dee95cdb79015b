"""The TLS contexts of a server: hardened, and replaced while it serves."""

import ssl
from collections.abc import Callable
from typing import Any, Self

from hypercorn.config import Config

from server.connection_limit import ConnectionLimit
from server.options import ServerOptions

SUITES = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""TLS 1.2: forward secrecy and authenticated encryption only; TLS 1.3 has nothing else."""

OPTIONS = ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE


def harden(context: ssl.SSLContext, config: Config, minimum_version: ssl.TLSVersion) -> None:
    """Restore what Hypercorn takes away, and refuse versions older than `minimum_version`.

    It assigns `options = OP_NO_COMPRESSION` (config.py:177), which clears every default that
    Python and OpenSSL set, server preference among them; its suites leave out ChaCha20.
    """
    defaults = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).options
    # Setting OP_NO_SSLv3 is deprecated; the minimum version says the same and more.
    context.options |= (defaults & ~ssl.OP_NO_SSLv3) | OPTIONS
    context.minimum_version = minimum_version
    if config.ciphers == Config.ciphers:  # an operator's own choice stays
        context.set_ciphers(SUITES)


def make_context(
    config: Config,
    create: Callable[[Config], Any],
    options: ServerOptions,
    connection_limit: ConnectionLimit,
) -> ssl.SSLContext:
    """Return a hardened context, made by Hypercorn's own `create` from the files as they are.

    Raises:
        OSError: a file is missing, or cannot be used (ssl.SSLError).

    """
    context: ssl.SSLContext = create(config)
    harden(context, config, options.minimum_version)
    verification = options.client_verification
    if verification is not None:
        verification.apply(context)
        connection_limit.verified_by(context, verification.generation)
    context.sslobject_class = connection_limit.ssl_object_class()
    return context


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
