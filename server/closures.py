"""Why connections were refused, or closed before their client wanted it, counted."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from server.tls_stream import PlainText


class Closure(StrEnum):
    """Why the server refused or closed a connection, or reset a stream of one."""

    FULL = "full"  # refused: all connections are taken
    ADDRESS_LIMIT = "address_limit"  # refused: its subnet has too many, or opens too many
    EVICTED = "evicted"  # it had sent no request, and another client needed the place
    HANDSHAKE_TIMEOUT = "handshake_timeout"
    HANDSHAKE_FAILED = "handshake_failed"  # or the client disconnected during it
    PLAIN_HTTP = "plain_http"  # on a port that speaks TLS
    FLOOD = "flood"  # too many control frames, or another violation of HTTP/2
    SEND_TIMEOUT = "send_timeout"  # the client did not read
    RESPONSE_TIMEOUT = "response_timeout"  # the same, of one HTTP/2 stream


class Closures:
    """The refused and closed connections of a process, counted."""

    def __init__(self) -> None:
        self.counts: Counter[Closure] = Counter(dict.fromkeys(Closure, 0))

    def count(self, closure: Closure) -> None:
        """Count one."""
        self.counts[closure] += 1

    @contextmanager
    def count_handshake(self) -> Iterator[None]:
        """Count how a handshake fails."""
        try:
            yield
        except PlainText:
            self.count(Closure.PLAIN_HTTP)
            raise
        except TimeoutError:
            self.count(Closure.HANDSHAKE_TIMEOUT)
            raise
        except OSError:
            self.count(Closure.HANDSHAKE_FAILED)
            raise

    def count_send(self, error: Exception) -> None:
        """Count a connection on which nothing can be sent, if its client did not read in time."""
        if isinstance(error, TimeoutError):
            self.count(Closure.SEND_TIMEOUT)
