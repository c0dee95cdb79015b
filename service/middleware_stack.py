"""The envelope of middleware around each function, as the settings want it at this moment."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from limits import RateLimitItem
from limits import parse as parse_limit
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.routing import Route

from handlers.problems import respond
from middleware.access_log import AccessLog, Named
from middleware.authentication import Caller, Keys
from middleware.body_drain import EarlyAnswers
from middleware.body_limit import BodyLimit
from middleware.deadline import Deadline
from middleware.headers import Headers
from middleware.limits import AddressLimit, KeyLimit
from middleware.plain_port import PlainPort
from middleware.proxy import TrustedProxy
from middleware.quota import Quota
from service.api_keys import callers_of, shown_by
from service.routes import load_handler
from service.storage import open_storage
from settings import Function, Settings

if TYPE_CHECKING:  # it costs 160 ms, and most never need it
    from tls.clients import ClientTrustStore


class MiddlewareStack:
    """Built from one state of the settings; another state gets another envelope.

    `directory` is what relative paths begin at, `write` takes a line of the log, `clients` knows
    client certificates, `before` is the envelope that this one replaces: it goes on counting where
    that one stopped, if both count in the same place.
    """

    def __init__(
        self,
        settings: Settings,
        directory: Path,
        write: Callable[[str], None],
        *,
        clients: "ClientTrustStore | None",
        development_certificate: bool,
        before: "MiddlewareStack | None" = None,
    ) -> None:
        self.settings = settings
        self.directory = directory
        self.write = write
        self.clients = clients
        self.development_certificate = development_certificate
        self.quota = self._quota(before)

    def middleware(self) -> list[Middleware]:
        """Return what every request passes, outside in."""
        plain_port = self.settings.plain_port
        development = self.development_certificate and not self.settings.reachable_by
        return [
            Middleware(AccessLog, write=self.write),
            Middleware(Headers, hsts=self.settings.hsts.header(development=development)),
            *self._early_answers(),
            # Starlette puts its own handling of exceptions inside the middleware, so what
            # middleware raises is answered here, by the same table.
            Middleware(ExceptionMiddleware, handlers={HTTPException: respond, Exception: respond}),
            *self._proxy(),
            Middleware(
                PlainPort,
                origin=plain_port.origin,
                acme_directory=self.directory / plain_port.acme_directory,
            ),
        ]

    def routes(self) -> list[Route]:
        """Return a route for each function, with what stands before it.

        Raises:
            HandlerError: a function's handler is not there or cannot be called.

        """
        callers = callers_of(self.settings, self.directory)
        return [
            Route(
                function.path,
                load_handler(function.path, function.handler),
                methods=list(function.methods),
                middleware=[
                    Middleware(Named, name=function.path),
                    *(self._open(function) if function.public else self._guard(function, callers)),
                    Middleware(BodyLimit, max_bytes=function.max_body_bytes),
                    Middleware(
                        Deadline, body_s=function.body_timeout_s, total_s=function.timeout_s
                    ),
                ],
            )
            for function in self.settings.functions
        ]

    def _early_answers(self) -> list[Middleware]:
        if not self.settings.proxy.trusted:
            return []
        largest = max(function.max_body_bytes for function in self.settings.functions)
        wait_s = self.settings.tls.close_linger_s
        return [Middleware(EarlyAnswers, wait_s=wait_s, max_bytes=2 * largest)]

    def _proxy(self) -> list[Middleware]:
        proxy = self.settings.proxy
        if not proxy.trusted:
            return []
        return [
            Middleware(
                TrustedProxy,
                networks=proxy.networks,
                unix=proxy.trusts_unix,
                clear=not self.settings.server.has_tls,
                header=proxy.header,
                certificate_header=proxy.client_certificate_header,
                trusts_certificate=self.clients.trusts if self.clients else lambda _der: False,
            )
        ]

    def _open(self, function: Function) -> list[Middleware]:
        """Return what stands before a function that needs no key."""
        items = [parse_limit(limit) for limit in function.limits]
        return [self._address_limit(f"address {function.path}", items)]

    def _guard(self, function: Function, callers: Sequence[Caller]) -> list[Middleware]:
        """Return what stands before a function that needs a key."""
        limits = self.settings.limits
        return [
            self._address_limit("address", [parse_limit(limits.per_address)]),
            Middleware(
                Keys,
                callers=callers,
                scope=function.scope,
                quota=self.quota,
                failures=parse_limit(limits.failed_authentications),
                shown=shown_by(self.clients),
                certificate_required=self.settings.tls.client_certificates == "required",
            ),
            Middleware(
                KeyLimit,
                quota=self.quota,
                path=function.path,
                function_items=[parse_limit(limit) for limit in function.limits],
                key_item=parse_limit(limits.per_key),
            ),
        ]

    def _address_limit(self, policy: str, items: list[RateLimitItem]) -> Middleware:
        return Middleware(AddressLimit, quota=self.quota, policy=policy, items=items)

    def _quota(self, before: "MiddlewareStack | None") -> Quota:
        limits = self.settings.limits
        return Quota(
            before.quota.storage
            if before is not None and before.settings.limits.counts_like(limits)
            else open_storage(limits.storage.get_secret_value(), wait_s=limits.storage_wait_s),
            wait_s=limits.storage_wait_s,
            allow_on_failure=limits.on_storage_failure == "allow",
            write=self.write,
        )
