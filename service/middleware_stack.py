"""The middleware around all functions, as one state of the settings wants it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.exceptions import ExceptionMiddleware

from handlers.problems import respond
from metrics.counts import Counts
from middleware.access_log import AccessLog
from middleware.audit import Audit, AuditEnd
from middleware.body_drain import BodyDrain
from middleware.cors import Cors
from middleware.endings import Endings
from middleware.headers import ResponseHeaders
from middleware.plain_port import PlainPort
from middleware.proxy import TrustedProxy
from middleware.quota import Quota
from middleware.refusals import Refusals
from service.api_keys import configured_callers
from service.interface import interface_of
from service.reloadable_app import OneStackApp
from service.retired_storage import Users
from service.routes import Routes
from service.storage import open_storage
from settings import Settings

if TYPE_CHECKING:  # it takes 160 ms to import, and most services do not need it
    from tls.clients import ClientTrustStore


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a middleware stack needs beside the settings; it stays the same for the process's life.

    `directory` is the base of relative paths, `write` takes a line of the log, `clients` verifies
    client certificates (None: none are requested), `counts` counts what happens, `audit` is the
    audit trail, if there is one.
    """

    directory: Path
    write: Callable[[str], None]
    clients: "ClientTrustStore | None"
    development_certificate: bool
    counts: Counts = field(default_factory=lambda: Counts(()))
    audit: Audit | None = None


class MiddlewareStack:
    """The middleware and routes of one state of the settings.

    `before` is the stack that this one replaces: if both count requests in the same storage, this
    one goes on with its counts.
    """

    def __init__(
        self,
        settings: Settings,
        surroundings: Surroundings,
        before: "MiddlewareStack | None" = None,
    ) -> None:
        self.settings = settings
        self._surroundings = surroundings
        self._before = before.settings if before is not None else None
        self.users = Users()
        self.quota = self._quota(before)

    def app(self) -> Starlette:
        """Return the Starlette app.

        Raises:
            HandlerError: a function's handler does not exist or cannot be called.

        """
        routes = Routes(
            self.settings,
            callers=configured_callers(
                self.settings, self._surroundings.directory, before=self._before
            ),
            quota=self.quota,
            clients=self._surroundings.clients,
            audit=self._surroundings.audit,
        )
        app = OneStackApp(routes.build(), self.middleware())
        app.state.interface = interface_of(
            self.settings, development_certificate=self._surroundings.development_certificate
        )
        return app

    def middleware(self) -> list[Middleware]:
        """Return what every request passes through, the outermost first."""
        plain_port = self.settings.plain_port
        development = self._surroundings.development_certificate and not self.settings.reachable_by
        return [
            *self._audit(),
            Middleware(
                AccessLog, write=self._surroundings.write, count=self._surroundings.counts.request
            ),
            Middleware(ResponseHeaders, hsts=self.settings.hsts.header(development=development)),
            *self._cors(),
            *self._body_drain(),
            Middleware(ExceptionMiddleware, handlers={HTTPException: respond, Exception: respond}),
            Middleware(Refusals, origin=plain_port.origin),
            *self._proxy(),
            Middleware(
                PlainPort,
                origin=plain_port.origin,
                acme_directory=self._surroundings.directory / plain_port.acme_directory,
            ),
        ]

    def _audit(self) -> list[Middleware]:
        """Return what records the end of a request: when the log has found why it was cancelled."""
        if self._surroundings.audit is None:
            return []
        keyed = {each.path for each in self.settings.enabled_functions if not each.public}
        return [Middleware(AuditEnd, audit=self._surroundings.audit, functions=keyed)]

    def _cors(self) -> list[Middleware]:
        origins = self.settings.cors.origins
        return [Middleware(Cors, origins=origins)] if origins else []

    def _body_drain(self) -> list[Middleware]:
        if not self.settings.proxy.trusted:
            return []
        largest = max(function.max_body_bytes for function in self.settings.enabled_functions)
        wait_s = self.settings.tls.close_linger_s
        return [Middleware(BodyDrain, wait_s=wait_s, max_bytes=2 * largest)]

    def _proxy(self) -> list[Middleware]:
        proxy, clients = self.settings.proxy, self._surroundings.clients
        if not proxy.trusted:
            return []
        return [
            Middleware(
                TrustedProxy,
                networks=proxy.networks,
                unix=proxy.trusts_unix,
                plain_http=not self.settings.server.has_tls,
                header=proxy.header,
                certificate_header=proxy.client_certificate_header,
                trusts_certificate=clients.trusts if clients else lambda _der: False,
            )
        ]

    def _quota(self, before: "MiddlewareStack | None") -> Quota:
        limits = self.settings.limits
        if before is not None and before.settings.limits.counts_like(limits):
            storage, endings = before.quota.storage, before.quota.endings
            self.users = before.users
        else:  # endings of its own: those of a storage that is away would hold up these
            storage = open_storage(limits, self._surroundings.directory)
            endings = Endings(
                wait_s=limits.storage_wait_s,
                write=self._surroundings.write,
                lost=self._surroundings.counts.not_given_back,
            )
        return Quota(
            storage,
            wait_s=limits.storage_wait_s,
            allow_on_failure=limits.on_storage_failure == "allow",
            write=self._surroundings.write,
            hit=self._surroundings.counts.limit_hit,
            failed=self._surroundings.counts.storage_failure,
            endings=endings,
        )
