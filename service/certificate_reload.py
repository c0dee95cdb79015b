"""The service's own certificate, reloaded when its files change."""

import time
from collections.abc import Callable, Iterable

from service.log import log_event
from tls.certificates import CertificateError, CertificateFacts
from tls.watch import FileWatch


class CertificateReload:
    """The certificate that new connections get: checked, then loaded, whenever its files change.

    `check` returns what is known of the files as they are, `renew` has the server read them. A
    certificate that fails its check is not loaded: the one before stays in force, and the problem
    is logged once. The server's session ticket keys are renewed every `ticket_key_s` seconds: with
    a stolen key, sessions resumed by tickets of TLS 1.2 can be decrypted.
    """

    def __init__(
        self,
        facts: CertificateFacts,
        files: Iterable[str],
        *,
        check: Callable[[], CertificateFacts],
        renew: Callable[[], None],
        ticket_key_s: float,
    ) -> None:
        files = tuple(files)
        self.facts = facts
        self.problem: str | None = None
        self._check = check
        self._renew_context = renew
        self._ticket_key_s = ticket_key_s
        self._watch = FileWatch(lambda: files)
        self._renewed_at = time.monotonic()

    def poll(self) -> None:
        """Reload the files if they have changed and are complete; renew old session ticket keys."""
        if self._watch.poll():
            self._load()
        elif self._watch.up_to_date and self._age_s > self._ticket_key_s:
            self.renew()

    def reload(self) -> None:
        """Reload the files as they are now."""
        self._watch.accept()
        self._load()

    def renew(self) -> bool:
        """Renew the server's TLS context; return whether that succeeded."""
        self._renewed_at = time.monotonic()
        try:
            facts = self._check()
            self._renew_context()
        except CertificateError as error:
            self._refuse(str(error))
            return False
        except Exception as error:  # noqa: BLE001 - the certificate before stays in force
            self._refuse(f"it cannot be loaded: {type(error).__name__}")
            return False
        self.facts, self.problem = facts, None
        return True

    def _load(self) -> None:
        if self.renew():
            log_event(event="certificate_loaded", **self.facts.summary())

    @property
    def _age_s(self) -> float:
        return time.monotonic() - self._renewed_at

    def _refuse(self, problem: str) -> None:
        self.problem = problem
        log_event(event="certificate_not_loaded", error=problem)
