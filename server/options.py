"""The options of the server."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from hypercorn.config import Config  # of a version that may not be tested

SMALLEST_WINDOW = 65_535
"""What a client may send before it has read our settings (RFC 9113, section 6.9.2)."""


class ClientVerification(Protocol):
    """Verifies client certificates."""

    @property
    def generation(self) -> int:
        """Grows when the CAs change: certificates verified before were verified by others."""

    def apply(self, context: ssl.SSLContext) -> None:
        """Have `context` request client certificates, and verify them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """The options of the server beyond Hypercorn's own Config.

    Raises:
        ValueError: a window is smaller than the protocol's initial one.

    """

    max_connections: int = 512
    """Connections of one process, TLS handshakes included."""
    max_connections_per_address: int = 512
    """The same for one subnet of clients, over TLS."""
    new_connections_per_s: float = 1000.0
    """TLS connections that a subnet may open in a second, with a burst of five seconds' worth."""
    subnet_of: "Callable[[str], str | None]" = lambda _address: None
    """Returns the subnet that an address is counted in; None: it is not counted."""
    evictable_s: float = 10.0
    """The age from which a connection without a request is closed for any new one, if all are
    taken."""
    receive_window_bytes: int = SMALLEST_WINDOW
    """What a client may send ahead on one HTTP/2 stream, until the application calls
    scope["extensions"]["sealed.receive_window"]["grow"](bytes)."""
    connection_window_bytes: int = 1 << 20
    """The same for all streams of one connection together."""
    discard_bytes: int = 8 << 20
    """How much body is read and discarded after an early response."""
    tls_buffer_bytes: int = 64 << 10
    """How much encrypted data of one TLS connection is buffered, and read at once."""
    drain_s: float = 0.0
    """How long new connections are still accepted after SIGTERM; 0: not at all."""
    linger_s: float = 1.0
    """How long a client may go on sending after its response, and how long a closed connection may
    take to close."""
    send_timeout_s: float = 30.0
    """How long a client may leave a response unread, or read less than 16 KiB of it."""
    control_frames_per_s: float = 100.0
    """HTTP/2 frames a client may send beside requests and bodies, with a burst of ten seconds'
    worth."""
    minimum_version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
    """The oldest TLS version that is accepted."""
    client_verification: ClientVerification | None = None
    """Verifies client certificates; None: none are requested."""
    report: Callable[..., object] = lambda **_facts: None
    """Writes an event to the log: `event` names it."""
    prepare_config: "Callable[[Config], None]" = lambda _config: None
    """Gets the Config that Hypercorn runs with, to check and complete it; refuses the start by
    SystemExit(message)."""

    def __post_init__(self) -> None:
        if min(self.receive_window_bytes, self.connection_window_bytes) < SMALLEST_WINDOW:
            raise ValueError(f"a receive window is at least {SMALLEST_WINDOW} bytes")
