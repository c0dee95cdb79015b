"""The CAs of client certificates, reloaded when their files change."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from service.log import log_event
from tls.certificates import CertificateError

if TYPE_CHECKING:  # it takes 160 ms to import, and most services do not need it
    from tls.clients import ClientTrustStore


class ClientCAReload:
    """Watches the CA and CRL files of `clients`; calls `changed` with each new generation.

    New CAs need a new TLS context, which is made from the service's own certificate files, too:
    while those cannot be loaded, `/readyz` fails, and new connections have no client certificate.
    """

    def __init__(self, clients: "ClientTrustStore", *, changed: Callable[[int], None]) -> None:
        self.clients = clients
        self._changed = changed
        self._problem: str | None = None
        self._logged: str | None = None

    @property
    def problem(self) -> str | None:
        """Why client certificates are refused, or why newer files are not in force."""
        return self._problem or self.clients.problem

    def poll(self) -> None:
        """Reload the files if they have changed and are complete."""
        if self.clients.watch.poll():
            self._load()
        problem = self.clients.problem  # an expired CRL is one, without any change of a file
        if problem != self._logged:
            self._logged = problem
            log_event(event="client_certificates", problem=problem)

    def reload(self) -> None:
        """Reload the files as they are now."""
        self.clients.watch.accept()
        self._load()

    def _load(self) -> None:
        try:
            self.clients.load()
        except CertificateError as error:
            self._refuse(str(error))
            return
        except Exception as error:  # noqa: BLE001 - the CAs in force stay in force
            self._refuse(f"[tls] client_ca, client_crl: {type(error).__name__}")
            return
        self._problem = None
        self._changed(self.clients.generation)
        log_event(event="client_certificates_loaded", problem=self.problem)

    def _refuse(self, problem: str) -> None:
        self._problem = problem
        log_event(event="client_certificates_not_loaded", error=problem)
