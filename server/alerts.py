"""Handshakes that fail with a word: asyncio closes without sending the alert that says why."""

import asyncio.sslproto
import ssl
from asyncio.sslproto import AppProtocolState
from collections.abc import Callable
from typing import Any

_fatal_error = asyncio.sslproto.SSLProtocol._fatal_error  # noqa: SLF001


def telling(
    linger_s: float, hold: Callable[[ssl.SSLObject], None], let_go: Callable[[ssl.SSLObject], None]
) -> Callable[..., None]:
    """Return SSLProtocol._fatal_error, with OpenSSL's last words sent first.

    Closing with unread data in the socket would send a reset, which can destroy the alert before
    the client reads it: so our side is closed, and the rest for at most `linger_s`. The connection
    counts until then, by `hold` and `let_go`.
    """

    def fatal_error(
        self: Any, error: BaseException, message: str = "Fatal error on transport"
    ) -> None:
        transport = self._transport
        in_handshake = self._app_state is AppProtocolState.STATE_INIT
        if transport is None or not in_handshake or not self._outgoing.pending:
            _fatal_error(self, error, message)
            return
        transport.write(self._outgoing.read())
        transport.write_eof()
        self.buffer_updated = _drop
        hold(self._sslobj)

        def end() -> None:
            let_go(self._sslobj)
            transport.abort()

        self._loop.call_later(linger_s, end)

    return fatal_error


def _drop(_amount: int) -> None:
    """Take no notice of what still comes."""
