"""The checks and warnings of /readyz."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handlers.health import Check
from model.errors import WeightsError
from model.reader import Reader
from service.audit import OpenAudit
from service.certificate_reload import CertificateReload
from service.client_ca_reload import ClientCAReload
from service.reload import SettingsReload

if TYPE_CHECKING:
    from server.patches import ServerHandle

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
VALID_DAYS = 1  # a certificate with less left turns /readyz red


@dataclass(frozen=True, slots=True)
class Readiness:
    """What decides whether the service is ready; `sandbox_missing` is why there is no sandbox."""

    reader: Reader
    certificate: CertificateReload | None
    settings: SettingsReload
    client_ca: ClientCAReload | None
    sandbox_missing: str | None
    server: "ServerHandle"
    audit: OpenAudit | None = None

    def checks(self) -> Mapping[str, Check]:
        """Return the checks; each takes microseconds, or one round trip to the limits' storage.

        The engine's check also starts an engine, which reads a page in its own sandbox.
        """
        checks: dict[str, Check] = {
            "accepting": self._accepting,
            "weights": self._weights,
            "engine": self.reader.prove,
            "settings": self._settings,
            "limit_storage": self._limit_storage,
        }
        if self.certificate is not None:
            checks["certificate"] = self._certificate
        if self.client_ca is not None:
            checks["client_certificates"] = self._client_certificates
        if self.audit is not None:
            checks["audit"] = self.audit.ready
        return checks

    async def _accepting(self) -> bool:
        return not self.server.is_draining

    async def _weights(self) -> bool:
        try:
            self.reader.verify()
        except WeightsError:
            return False
        return True

    async def _settings(self) -> bool:
        return self.settings.problem is None

    async def _limit_storage(self) -> bool:
        return await self.settings.stack.quota.reachable()

    async def _certificate(self) -> bool:
        served = self.certificate
        return (
            served is not None and served.problem is None and served.facts.days_left() > VALID_DAYS
        )

    async def _client_certificates(self) -> bool:
        return self.client_ca is not None and self.client_ca.problem is None

    def warnings(self) -> dict[str, str]:
        """Return what is wrong now, though not wrong enough to be not ready."""
        settings = self.settings.settings
        found = {"sandbox": self.sandbox_missing} if self.sandbox_missing else {}
        found |= self._certificate_warning(settings.tls.expiry_warning_days)
        if settings.reachable_by and settings.plain_port.host in LOOPBACK:
            found["public_origin"] = "it names this machine, but clients come from other machines"
        if self.settings.all_expired:
            found["keys"] = "all of them have expired"
        if self.client_ca is not None and (due := self.client_ca.clients.renewal_warning):
            found["client_crl"] = due
        if self.audit is not None:
            found |= self.audit.warnings()
        if self.settings.needs_restart:
            found["restart"] = f"needed for changes of {', '.join(self.settings.needs_restart)}"
        return found

    def _certificate_warning(self, warning_days: float) -> dict[str, str]:
        if self.certificate is None:
            return {}
        facts = self.certificate.facts
        if facts.needs_renewal(warning_days):
            return {"certificate": f"it expires in {facts.days_left():.1f} days"}
        if facts.without_issuer and not facts.development:
            return {
                "certificate": "certfile holds only this certificate: clients that do not know "
                f"{facts.issuer} itself refuse it; name the full chain, or, where that is "
                "the root, add it to the file"
            }
        return {}
