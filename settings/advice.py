"""What is valid, and most likely not meant."""

from settings.schema import Settings
from settings.server import bind_host
from settings.tables import UNIX

HTTPS_PORT = 443


def public_origin_advice(settings: Settings) -> str | None:
    """Return what to change where plain HTTP is redirected to a port that is not served.

    An origin without a port is left alone: something in front of the service forwards 443 to it.
    """
    port = settings.plain_port.public_origin.port or HTTPS_PORT
    ports = [
        int(address.rpartition(":")[2])
        for address in settings.server.bind
        if bind_host(address) not in {UNIX, "fd"}
    ]
    if not settings.server.has_tls or port == HTTPS_PORT or not ports or {0, port} & set(ports):
        return None
    better = f"https://{settings.plain_port.public_origin.host}:{ports[0]}"
    return (
        f"[plain_port] public_origin names port {port}, and bind has {ports[0]}: redirects lead to "
        f'a port that is not served; set public_origin = "{better}"'
    )
