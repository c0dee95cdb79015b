"""What /readyz asks, and what it warns of."""

from collections.abc import Mapping

from handlers.health import Check
from model.errors import WeightsError
from model.reader import Reader
from server.patches import ServerHandle
from service.client_ca_reload import ClientCAReload
from service.reload import SettingsReload

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
VALID_DAYS = 1  # a certificate with less left turns /readyz red


def checks_of(
    reader: Reader, transport: ServerHandle, live: SettingsReload, trust: ClientCAReload | None
) -> Mapping[str, Check]:
    """Return the checks; each costs microseconds, or one round trip to the limits' storage.

    The engine's also starts one, which reads a page under its own lock.
    """

    async def weights() -> bool:
        try:
            reader.verify()
        except WeightsError:
            return False
        return True

    async def certificate() -> bool:
        served = transport.certificate
        return (
            served is not None and served.problem is None and served.facts.days_left() > VALID_DAYS
        )

    async def settings() -> bool:
        return live.problem is None

    async def limit_storage() -> bool:
        return await live.envelope.quota.reachable()

    checks: dict[str, Check] = {
        "weights": weights,
        "engine": reader.prove,
        "settings": settings,
        "limit_storage": limit_storage,
    }
    if live.settings.server.has_tls:
        checks["certificate"] = certificate
    if trust is not None:

        async def client_certificates() -> bool:
            return trust.problem is None

        checks["client_certificates"] = client_certificates
    return checks


def warnings_of(
    unlocked: str | None,
    transport: ServerHandle,
    live: SettingsReload,
    trust: ClientCAReload | None,
) -> dict[str, str]:
    """Return what is amiss now and not worth being red for; `unlocked` is the sandbox's share."""
    settings, served = live.settings, transport.certificate
    found = {"sandbox": unlocked} if unlocked else {}
    if served and served.facts.needs_renewal(settings.tls.expiry_warning_days):
        found["certificate"] = f"it expires in {served.facts.days_left():.1f} days"
    elif served and served.facts.without_issuer and not served.facts.development:
        found["certificate"] = (
            f"certfile holds it alone: clients that do not know {served.facts.issuer} itself "
            "refuse it; name the full chain, or, where that is the root, add it to the file"
        )
    if settings.reachable_by and settings.plain_port.host in LOOPBACK:
        found["public_origin"] = "it names this machine, and clients come from others"
    if live.all_expired:
        found["keys"] = "all of them have expired"
    if trust is not None and (due := trust.clients.renewal_warning):
        found["client_crl"] = due
    if live.pending:
        found["restart"] = f"to take up {', '.join(live.pending)}"
    return found
