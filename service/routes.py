"""Each `[[functions]]` entry as a route: its handler, and the middleware before it."""

import functools
import importlib
import inspect
import traceback
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, cast

from limits import parse as parse_limit
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from handlers.errors import LoggedError
from middleware.access_log import FunctionName
from middleware.audit import Audit
from middleware.authentication import Authentication, Caller
from middleware.body_limit import BodyLimit
from middleware.concurrency import ConcurrencyLimit
from middleware.cors import Preflight
from middleware.deadline import Deadline
from middleware.limits import AddressLimit, KeyLimit
from middleware.options import Options
from middleware.page_quota import PageQuota
from middleware.quota import Quota
from service.api_keys import presented_certificate
from service.audit import recording
from service.start_refused import StartRefused
from settings import Function, Settings

if TYPE_CHECKING:  # it takes 160 ms to import, and most services do not need it
    from tls.clients import ClientTrustStore

Handler = Callable[[Request], Awaitable[Response]]
METRICS = "handlers.metrics:metrics"  # with which a failure of the storage is noticed


class HandlerError(StartRefused):
    """A `[[functions]]` entry names a handler that does not exist or cannot be called."""

    subject = ""  # the message begins with the entry

    def __init__(self, message: str, path: str) -> None:
        super().__init__(message)
        self.locs = (("functions", path, "handler"),)


class NotAResponse(LoggedError):
    """A handler returned something that cannot be sent."""


class Routes:
    """Builds the routes of one state of the settings.

    `clients` verifies client certificates; None where none are requested. `audit` is the audit
    trail, if there is one.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        callers: Sequence[Caller],
        quota: Quota,
        clients: "ClientTrustStore | None",
        audit: Audit | None = None,
    ) -> None:
        self._settings = settings
        self._callers = callers
        self._quota = quota
        self._clients = clients
        self._audit = audit

    def build(self) -> list[Route]:
        """Return a route for each function that is enabled.

        Raises:
            HandlerError: a function's handler does not exist or cannot be called.

        """
        return [self._route(function) for function in self._settings.enabled_functions]

    def _route(self, function: Function) -> Route:
        handler = load_handler(function.path, function.handler)
        methods = {*function.methods, "OPTIONS"}
        if "GET" in methods:
            methods.add("HEAD")  # as Route does
        return Route(
            function.path,
            returning_response(function.handler, handler),
            methods=sorted(methods),
            middleware=[
                Middleware(FunctionName, name=function.path),
                *_own_errors(handler),
                self._limit_without_key(function),
                Middleware(Options, methods=methods, preflight=self._preflight(function)),
                *([] if function.public else self._authentication(function)),
                *recording(function, self._audit),
                Middleware(BodyLimit, max_bytes=function.max_body_bytes),
                Middleware(Deadline, body_s=function.body_timeout_s, total_s=function.timeout_s),
            ],
        )

    def _preflight(self, function: Function) -> Preflight:
        return Preflight(
            origins=self._settings.cors.origins,
            methods=function.methods,
            key_header=function.key_header,
        )

    def _limit_without_key(self, function: Function) -> Middleware:
        """Return the limit per address on requests that need no key.

        Of a function that needs one, these are OPTIONS. They have a count of their own: nobody can
        use up what the valid keys of an address may do.
        """
        if function.public:
            return self._address_limit(f"address {function.path}", *function.limits)
        per_address = self._settings.limits.per_address
        return self._address_limit("options", per_address, method="OPTIONS")

    def _address_limit(self, policy: str, *limits: str, method: str | None = None) -> Middleware:
        items = [parse_limit(limit) for limit in limits]
        return Middleware(
            AddressLimit, quota=self._quota, policy=policy, items=items, method=method
        )

    def _authentication(self, function: Function) -> list[Middleware]:
        """Return what stands before a function that needs a key.

        An address is counted after authentication: wrong keys have a limit of their own, and do not
        use up that of the valid keys behind the same address.
        """
        limits = self._settings.limits
        return [
            Middleware(
                Authentication,
                callers=self._callers,
                path=function.path,
                scope=function.scope,
                quota=self._quota,
                failures=parse_limit(limits.failed_authentications),
                certificate_of=presented_certificate(self._clients),
                certificate_required=self._settings.tls.client_certificates == "required",
                key_header=function.key_header,
                loopback_without_key=function.loopback_without_key,
            ),
            Middleware(
                KeyLimit,
                quota=self._quota,
                path=function.path,
                function_items=[parse_limit(limit) for limit in function.limits],
                key_item=parse_limit(limits.per_key),
                address_items=[parse_limit(limits.per_address)],
                must_be_counted=function.handler != METRICS,
            ),
            Middleware(ConcurrencyLimit, quota=self._quota, total_s=function.timeout_s),
            Middleware(PageQuota, quota=self._quota, total_s=function.timeout_s),
        ]


def _own_errors(handler: Handler) -> list[Middleware]:
    """Return what gives the errors of a function a form of its own; handlers.compat.failure."""
    respond = getattr(handler, "error_response", None)
    if respond is None:
        return []
    return [Middleware(ExceptionMiddleware, handlers={HTTPException: respond, Exception: respond})]


def load_handler(path: str, name: str) -> Handler:
    """Import `name` ("module:function") for the function at `path`.

    Handlers are light, so they are imported at start, where a mistake stops the service; what is
    heavy, the model, they get through the request.

    Raises:
        HandlerError: no such module or function, or not `async def function(request)`.

    """
    where = f"[[functions]] {path} handler = {name!r}"
    module_name, _, function_name = name.partition(":")
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        said = f"{where}: {module_name} cannot be imported: {_cause(error)}"
        raise HandlerError(said, path) from error
    handler = getattr(module, function_name, None)
    if handler is None:
        raise HandlerError(f"{where}: {module_name} has no {function_name}", path)
    if not inspect.iscoroutinefunction(handler):
        raise HandlerError(f"{where}: must be async def {function_name}(request)", path)
    try:
        inspect.signature(handler).bind(object())
    except TypeError as error:
        said = f"{where}: must take the request and nothing else: {error}"
        raise HandlerError(said, path) from error
    return cast("Handler", handler)


def _cause(error: BaseException) -> str:
    """Return what an import raised, and in which line of which file."""
    frames = traceback.extract_tb(error.__traceback__)[2:]  # after this module and importlib
    in_files = [frame for frame in frames if not frame.filename.startswith("<frozen ")]
    if isinstance(error, SyntaxError | ModuleNotFoundError) or not in_files:
        return str(error)  # it has the line, or the name that is missing
    last = in_files[-1]
    return f"{type(error).__name__} in {last.filename}, line {last.lineno}: {error}"


def returning_response(name: str, handler: Handler) -> Handler:
    """Return the handler `name` ("module:function"), with what it returns checked.

    Starlette would call whatever it is, and the log would have a TypeError of Starlette's.
    """

    @functools.wraps(handler)
    async def checked(request: Request) -> Response:
        response: object = await handler(request)
        if not isinstance(response, Response):
            raise NotAResponse(
                f"{name} returned {type(response).__qualname__}; a handler must return a "
                "starlette.responses.Response, such as JSONResponse(...)"
            )
        return response

    return checked
