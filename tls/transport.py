"""Hypercorn with its gaps closed: call `install` when the application is imported."""

import logging
import ssl
from importlib.metadata import version
from typing import TYPE_CHECKING

from tls.probes import NAMES, ProbeError, check_behaviour, check_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypercorn.config import Config

    from tls.certificates import CertificateError, CertificateFacts
    from tls.clients import ClientTrust
    from tls.patches import Transport

TESTED_VERSIONS = frozenset({"0.18.0"})
"""The Hypercorn versions that the tests in tests/tls ran against."""

SMALLEST_WINDOW = 65_535
"""What a client may send before it has read our settings (RFC 9113, section 6.9.2)."""

log = logging.getLogger("sealed.transport")


def install(
    *,
    max_connections: int = 512,
    receive_window_bytes: int = SMALLEST_WINDOW,
    connection_window_bytes: int = 1 << 20,
    discard_bytes: int = 8 << 20,
    tls_buffer_bytes: int = 64 << 10,
    linger_s: float = 1.0,
    reload_poll_s: float = 1.0,
    ticket_key_s: float = 86_400,
    send_timeout_s: float = 30.0,
    control_frames_per_s: float = 100.0,
    oldest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2,
    host: str | None = None,
    key_passphrase: str | None = None,
    clients: "ClientTrust | None" = None,
    on_config: "Callable[[Config], None]" = lambda _config: None,
    on_reload: "Callable[[CertificateFacts], None]" = lambda _facts: None,
    on_reload_error: "Callable[[CertificateError], None]" = lambda _error: None,
) -> "Transport":
    """Apply the fixes in `tls.patches` to the Hypercorn of this process.

    max_connections: connections of one process, TLS handshakes under way included.
    receive_window_bytes: what a client may send ahead on one HTTP/2 stream, until the application
        calls scope["extensions"]["sealed.receive_window"]["grow"](bytes).
    connection_window_bytes: the same for all streams of one connection together.
    discard_bytes: how much body is read and dropped after an early reply.
    tls_buffer_bytes: asyncio's receive buffer of one TLS connection.
    linger_s: how long an answered client may go on sending, and a closed one take to close.
    send_timeout_s: how long a client may leave an answer, or 64 KiB of it, untaken.
    control_frames_per_s: HTTP/2 frames a client may send beside requests and bodies, ten seconds'
        worth of them at once.
    reload_poll_s: how often the certificate's files are looked at.
    ticket_key_s: how long session tickets are encrypted with one key.
    oldest: the oldest version of TLS that is spoken.
    host: what clients call the service, which the certificate must be for; None asks nothing.
    key_passphrase: opens the certificate's key, if it is encrypted.
    clients: whose certificates are asked for; None asks for none.
    on_config: sees the Config that Hypercorn runs with; refuses by SystemExit(message).
    on_reload, on_reload_error: told once for each change of the certificate's files.

    Raises: ProbeError if this Hypercorn is not one tested and a fix can't work with it;
    ValueError for a window smaller than the protocol's own.
    """
    if receive_window_bytes < SMALLEST_WINDOW or connection_window_bytes < SMALLEST_WINDOW:
        raise ValueError(f"a receive window is at least {SMALLEST_WINDOW} bytes")
    installed = version("hypercorn")
    tested = installed in TESTED_VERSIONS
    if not tested:
        log.warning(
            "Hypercorn %s has not been tested (tested: %s): probing each fix",
            installed,
            ", ".join(sorted(TESTED_VERSIONS)),
        )
        for fix in NAMES:
            check_names(fix)
    # Only now: with an unknown Hypercorn even the import may fail, and the probes say it better.
    from tls.choices import Choices  # noqa: PLC0415
    from tls.patches import apply_all  # noqa: PLC0415

    transport = apply_all(
        Choices(
            max_connections=max_connections,
            receive_window_bytes=receive_window_bytes,
            connection_window_bytes=connection_window_bytes,
            discard_bytes=discard_bytes,
            tls_buffer_bytes=tls_buffer_bytes,
            linger_s=linger_s,
            send_timeout_s=send_timeout_s,
            control_frames_per_s=control_frames_per_s,
            reload_poll_s=reload_poll_s,
            ticket_key_s=ticket_key_s,
            oldest=oldest,
            host=host,
            key_passphrase=key_passphrase,
            clients=clients,
            on_config=on_config,
            on_reload=on_reload,
            on_reload_error=on_reload_error,
        )
    )
    if not tested:
        check_behaviour()
    return transport


__all__ = ["ProbeError", "install"]
