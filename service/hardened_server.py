"""The hardened Hypercorn of this process, configured from the settings."""

from pathlib import Path
from typing import TYPE_CHECKING

from hypercorn.config import Config

from middleware.addresses import is_within, subnet_of
from server.install import ProbeError, ServerOptions, install, refuse_start
from service.certificate import check_certificate
from service.hypercorn_config import ConfigMismatch, check_config
from service.log import log_event
from service.start_refused import refusing
from settings import Settings
from settings.server import Server
from tls.certificates import CertificateError
from tls.profiles import OLDEST

if TYPE_CHECKING:  # it takes 160 ms to import, and most services do not need it
    from server.patches import ServerHandle
    from tls.clients import ClientTrustStore


def install_server(
    settings: Settings, settings_file: Path, clients: "ClientTrustStore | None"
) -> "ServerHandle":
    """Harden the Hypercorn of this process, and have its Config checked before it serves.

    Raises:
        StartRefused: the installed Hypercorn, h2 or Python is not tested and lacks something.

    """
    with refusing(ProbeError, subject="the installed Hypercorn"):
        return install(_options(settings, settings_file, clients))


def _options(
    settings: Settings, settings_file: Path, clients: "ClientTrustStore | None"
) -> ServerOptions:
    tls = settings.tls

    def prepare_config(config: Config) -> None:
        try:
            check_config(config, settings_file, Server.model_fields)
            if settings.server.has_tls:
                check_certificate(settings)
        except (ConfigMismatch, CertificateError) as error:
            refuse_start(f"Sealed OCR does not start:\n{error}")
        config.keyfile_password = tls.passphrase

    def counted_subnet(address: str) -> str | None:
        """Return the subnet that a connection is counted in; None for a proxy's."""
        return None if is_within(address, settings.proxy.networks) else subnet_of(address)

    return ServerOptions(
        max_connections=tls.max_connections,
        max_connections_per_address=tls.max_connections_per_address,
        new_connections_per_s=tls.new_connections_per_s,
        subnet_of=counted_subnet,
        receive_window_bytes=tls.receive_window_bytes,
        connection_window_bytes=tls.connection_window_bytes,
        # A refused body is read to its end before the connection is closed, so that a client
        # which reads only after it has sent everything gets its response.
        discard_bytes=2 * max(f.max_body_bytes for f in settings.enabled_functions),
        tls_buffer_bytes=tls.buffer_bytes,
        drain_s=settings.shutdown.drain_s,
        linger_s=tls.close_linger_s,
        send_timeout_s=tls.send_timeout_s,
        control_frames_per_s=tls.control_frames_per_s,
        minimum_version=OLDEST[tls.profile],
        client_verification=clients,
        report=log_event,
        prepare_config=prepare_config,
    )
