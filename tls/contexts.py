"""The TLS context that serves: hardened once, and given each new certificate while it runs."""

import asyncio
import os
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hypercorn.config import Config

from tls.certificates import CertificateError, CertificateFacts, check_pair, load_pair

if TYPE_CHECKING:
    from collections.abc import Callable

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


@dataclass(slots=True)
class ServedCertificate:
    """The certificate new handshakes get, and what is wrong with the files if they changed."""

    facts: CertificateFacts
    loaded_at: datetime
    problem: str | None = None


class CertificateWatch:
    """Load a changed certificate into the live context (Hypercorn #233).

    Connections held keep theirs, new handshakes get the new one. A pair that can't be served is
    never loaded: the old one stays, and the problem is told once.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        config: Config,
        poll_s: float,
        on_reload: "Callable[[CertificateFacts], None]",
        on_error: "Callable[[CertificateError], None]",
    ) -> None:
        self._context = context
        self._files = (str(config.certfile), str(config.keyfile))
        self._password = config.keyfile_password
        self._poll_s = poll_s
        self._on_reload = on_reload
        self._on_error = on_error
        self._seen = self._settled = self._stamps()
        self.served = ServedCertificate(check_pair(*self._files, self._password), _now())

    def start(self) -> None:
        """Look again and again, on the running loop."""
        asyncio.get_running_loop().call_later(self._poll_s, self._look_again)

    def _look_again(self) -> None:
        self.start()
        self.look()

    def look(self) -> None:
        """Load the files if they changed and have rested since the last look.

        Two files can't be replaced in one step: a pair caught between is not an error.
        """
        stamps = self._stamps()
        rested, self._seen = stamps == self._seen, stamps
        if not rested or stamps == self._settled:
            return
        self._settled = stamps
        try:
            facts = check_pair(*self._files, self._password)
            load_pair(self._context, *self._files, self._password)
        except CertificateError as error:
            self.served.problem = str(error)
            self._on_error(error)
        else:
            self.served.facts, self.served.loaded_at = facts, _now()
            self.served.problem = None
            self._on_reload(facts)

    def _stamps(self) -> tuple[tuple[int, int, int] | None, ...]:
        """Take down what changes when a file does, a renamed or re-linked one included."""
        return tuple(_stamp(file) for file in self._files)


def _stamp(file: str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(file)  # noqa: PTH116 - called every few seconds for life
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size


def _now() -> datetime:
    return datetime.now(UTC)
