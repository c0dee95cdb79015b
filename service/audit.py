"""The audit trail that the settings want: opened, recorded to, and its state for /readyz."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.middleware import Middleware
from starlette.types import Scope

from middleware.audit import Audit, AuditBeforeReading
from middleware.authentication import PresentedCertificate
from settings import Function, Settings

if TYPE_CHECKING:  # most services do not need it
    from audit.trail import Trail


def check_audit(settings: Settings, directory: Path) -> None:
    """Check the key and the directory, if the settings have any; nothing is made or changed.

    Raises:
        AuditRefused: records could not be written, or others could read them.

    """
    if settings.audit.enabled or settings.audit.key is not None:
        from service.audit_start import check  # noqa: PLC0415 - most services do not need it

        check(settings, directory)


def open_audit(
    settings: Settings,
    directory: Path,
    certificate_of: Callable[[Scope], PresentedCertificate | None],
) -> "OpenAudit | None":
    """Return the audit trail, whose first record is written; None if the settings want none.

    Raises:
        AuditRefused: it cannot be written.

    """
    check_audit(settings, directory)
    wanted = settings.audit
    if not wanted.enabled:
        return None
    from service.audit_start import open_trail  # noqa: PLC0415 - most services do not need it

    trail = open_trail(settings, directory)
    deny = wanted.on_failure == "deny"
    return OpenAudit(trail, Audit(trail, deny, wanted.unauthenticated, certificate_of))


def recording(function: Function, audit: Audit | None) -> list[Middleware]:
    """Return what records a request before it is read; a function without a body reads none."""
    if audit is None or function.public or function.max_body_bytes == 0:
        return []
    return [Middleware(AuditBeforeReading, audit=audit)]


class OpenAudit:
    """The trail of this process, what the middleware does with it, and its state."""

    def __init__(self, trail: "Trail", requests: Audit) -> None:
        self.trail = trail
        self.requests = requests

    async def ready(self) -> bool:
        """Return whether requests can be served: not while they are denied unrecorded."""
        return self.trail.works() or not self.requests.deny

    def warnings(self) -> dict[str, str]:
        """Return that requests are served unrecorded, if they are."""
        problem = self.trail.problem
        if problem is None or self.requests.deny:
            return {}
        return {"audit": f"requests are served unrecorded since {problem.since}: {problem.error}"}
