"""What is chosen about the transport, when it is installed."""

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
    """How Hypercorn is to serve, where it has no setting of its own.

    Raises: ValueError for a window smaller than the protocol's own.
    """

    max_connections: int = 512
    """Connections of one process, TLS handshakes under way included."""
    max_connections_per_address: int = 512
    """The same for one client network alone, over TLS."""
    new_connections_per_s: float = 1000.0
    """TLS connections that a client network may open in a second, five seconds' worth at once."""
    subnet_of: "Callable[[str], str | None]" = lambda _address: None
    """Names the network that an address is counted in; None: it is not counted."""
    receive_window_bytes: int = SMALLEST_WINDOW
    """What a client may send ahead on one HTTP/2 stream, until the application calls
    scope["extensions"]["sealed.receive_window"]["grow"](bytes)."""
    connection_window_bytes: int = 1 << 20
    """The same for all streams of one connection together."""
    discard_bytes: int = 8 << 20
    """How much body is read and dropped after an early reply."""
    tls_buffer_bytes: int = 64 << 10
    """asyncio's receive buffer of one TLS connection."""
    linger_s: float = 1.0
    """How long an answered client may go on sending, and a closed one take to close."""
    send_timeout_s: float = 30.0
    """How long a client may leave an answer untaken, or take less than 16 KiB of it."""
    control_frames_per_s: float = 100.0
    """HTTP/2 frames a client may send beside requests and bodies, ten seconds' worth at once."""
    minimum_version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
    """The oldest TLS version that is accepted."""
    client_verification: ClientVerification | None = None
    """Verifies client certificates; None: none are requested."""
    prepare_config: "Callable[[Config], None]" = lambda _config: None
    """Gets the Config that Hypercorn runs with, to check and complete it; refuses the start by
    SystemExit(message)."""

    def __post_init__(self) -> None:
        """Refuse what the protocol has no room for."""
        if min(self.receive_window_bytes, self.connection_window_bytes) < SMALLEST_WINDOW:
            raise ValueError(f"a receive window is at least {SMALLEST_WINDOW} bytes")
