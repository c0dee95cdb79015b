"""What `tls.transport.install` was asked for."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hypercorn.config import Config

from tls.certificates import CertificateError, CertificateFacts

if TYPE_CHECKING:  # it costs 160 ms, and most never need it
    from tls.clients import ClientTrust


@dataclass(frozen=True, slots=True)
class Choices:
    """Its parameters, as its docstring explains them."""

    max_connections: int
    receive_window_bytes: int
    connection_window_bytes: int
    discard_bytes: int
    tls_buffer_bytes: int
    linger_s: float
    send_timeout_s: float
    control_frames_per_s: float
    reload_poll_s: float
    ticket_key_s: float
    oldest: ssl.TLSVersion
    host: str | None
    key_passphrase: str | None
    clients: "ClientTrust | None"
    on_config: Callable[[Config], None]
    on_reload: Callable[[CertificateFacts], None]
    on_reload_error: Callable[[CertificateError], None]
