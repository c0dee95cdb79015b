"""What is chosen about the transport, when it is installed."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hypercorn.config import Config  # which may be one that nobody has tested

    from tls.certificates import CertificateError, CertificateFacts
    from tls.clients import ClientTrustStore  # it costs 160 ms, and most never need it

SMALLEST_WINDOW = 65_535
"""What a client may send before it has read our settings (RFC 9113, section 6.9.2)."""


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
    reload_poll_s: float = 1.0
    """How often the files of certificate and key are looked at."""
    ticket_key_s: float = 86_400.0
    """How long session tickets are encrypted with one key."""
    oldest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
    """The oldest version of TLS that is spoken."""
    host: str | None = None
    """What clients call the service, which the certificate must be for; None asks nothing."""
    key_passphrase: str | None = field(default=None, repr=False)
    """Opens the certificate's key, if it is encrypted."""
    clients: "ClientTrustStore | None" = None
    """Whose certificates are asked for; None asks for none."""
    on_config: "Callable[[Config], None]" = lambda _config: None
    """Sees the Config that Hypercorn runs with; refuses by SystemExit(message)."""
    on_reload: "Callable[[CertificateFacts], None]" = lambda _facts: None
    """Told once for each change of those files that was taken up."""
    on_reload_error: "Callable[[CertificateError], None]" = lambda _error: None
    """Told once for each change of those files that was not."""

    def __post_init__(self) -> None:
        """Refuse what the protocol has no room for."""
        if min(self.receive_window_bytes, self.connection_window_bytes) < SMALLEST_WINDOW:
            raise ValueError(f"a receive window is at least {SMALLEST_WINDOW} bytes")
