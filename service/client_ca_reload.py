"""The authorities of client certificates, taken up anew when their files change."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tls.certificates import CertificateError

if TYPE_CHECKING:  # it costs 160 ms, and most never need it
    from tls.clients import ClientTrustStore


class ClientCAReload:
    """Watches the files of `clients`; tells `changed` of each generation of authorities.

    They are no business of the service's own certificate: whether one of the two can be served
    holds up nothing of the other, and behind a proxy there is only this one.
    """

    def __init__(
        self,
        clients: "ClientTrustStore",
        *,
        changed: Callable[[int], None],
        report: Callable[..., None],
    ) -> None:
        self.clients = clients
        self._changed = changed
        self._report = report
        self._problem: str | None = None
        self._told: str | None = None

    @property
    def problem(self) -> str | None:
        """What keeps certificates from being taken, or newer files from being used."""
        return self._problem or self.clients.problem

    def look(self) -> None:
        """Take up files that have changed and rested."""
        if self.clients.watch.poll():
            self._load()
        problem = self.clients.problem  # which time alone can bring
        if problem != self._told:
            self._told = problem
            self._report(event="client_certificates", problem=problem)

    def reload(self) -> None:
        """Take up the files as they are now."""
        self.clients.watch.accept()
        self._load()

    def _load(self) -> None:
        try:
            self.clients.load()
        except CertificateError as error:
            self._refuse(str(error))
            return
        except Exception as error:  # noqa: BLE001 - whatever it is: what was trusted still is
            self._refuse(f"[tls] client_ca, client_crl: {type(error).__name__}")
            return
        self._problem = None
        self._changed(self.clients.generation)
        self._report(event="client_certificates_loaded", problem=self.problem)

    def _refuse(self, problem: str) -> None:
        self._problem = problem
        self._report(event="client_certificates_not_loaded", error=problem)
