"""What /readyz asks, and what it warns of."""

from collections.abc import Mapping

from handlers.health import Check
from model.errors import WeightsError
from model.reader import Reader
from tls.patches import Transport
from wiring.live import Live
from wiring.trust import Trust

VALID_DAYS = 1  # a certificate with less left turns /readyz red


def checks_of(
    reader: Reader, transport: Transport, live: Live, trust: Trust | None
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
