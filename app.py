"""The one Starlette app, built from settings.toml: functions become routes, tables the envelope.

Importing this module starts nothing that reads: the engine and its model load with the first
reading, in processes of their own.
"""

import contextlib
import ssl
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hypercorn.config import Config
from limits import parse as parse_limit
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.routing import Route

from handlers.health import Check
from handlers.problems import respond
from middleware.access_log import AccessLog, Named
from middleware.body_limit import BodyLimit
from middleware.deadline import Deadline
from middleware.headers import Headers
from middleware.keys import BEGINNING, END, Caller, Keys
from middleware.limits import AddressLimit, KeyLimit
from middleware.log import entry
from middleware.plain_port import PlainPort
from middleware.quota import Quota
from model.errors import WeightsError
from model.reader import Reader
from model.sandbox import lock, seccomp
from model.sizing import Sizes, choose, this_machine
from settings import Function, Settings, SettingsError, load_settings, settings_path
from settings.server import Server
from startup.certificate import certificate_in_force
from startup.development import development_caller
from startup.functions import HandlerError, load_handler
from startup.hypercorn_config import ConfigMismatch, check_command_line, check_config
from startup.sandbox import SandboxError, sandbox_warning
from startup.storage import open_storage
from tls.certificates import CertificateError, CertificateFacts
from tls.patches import Transport
from tls.profiles import OLDEST, choose_groups, groups_in_force
from tls.serving import refuse_start
from tls.transport import ProbeError, install

VALID_DAYS = 1  # a certificate with less left turns /readyz red
# What can stop the start, and where the operator finds it; some messages say that themselves.
PLACES: Mapping[type[Exception], str] = {
    SettingsError: "",
    ConfigMismatch: "",
    CertificateError: "{file}: certfile, keyfile: ",
    WeightsError: "{file}: [model] or the weights: ",
    HandlerError: "{file}: ",
    SandboxError: "{file}: [sandbox]: ",
    ProbeError: "the installed Hypercorn: ",
}


def write_entry(**facts: object) -> None:
    """Log what happened to the service itself."""
    write_line(entry(**facts))


def write_line(line: str) -> None:
    """Write a line of the log."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class Service:
    """What the settings build, once in each serving process."""

    def __init__(self, settings: Settings, settings_file: Path) -> None:
        self.settings = settings
        self.directory = settings_file.resolve().parent
        self.warnings = self._warnings()
        self.certificate = self._certificate()
        self.transport = self._transport(settings_file)
        self.quota = self._quota()
        sizes = self._sizes()
        self.reader = Reader(
            **settings.model.model_dump(exclude={"max_images"}),
            engines=sizes.processes,
            threads=sizes.threads,
            **settings.engine.model_dump(exclude={"warm", "processes", "threads"}),
            seccomp=not self.warnings,
            report=lambda process, cause: write_entry(
                event="process_ended", process=process, cause=cause
            ),
        )

    def app(self) -> Starlette:
        """Return the app: the envelope outside in, then a route for each function."""
        plain_port = self.settings.plain_port
        app = Starlette(
            middleware=[
                Middleware(AccessLog, write=write_line),
                Middleware(Headers, hsts=self._hsts()),
                # Starlette puts its own handling of exceptions inside the middleware, so what
                # middleware raises is answered here, by the same table.
                Middleware(
                    ExceptionMiddleware, handlers={HTTPException: respond, Exception: respond}
                ),
                Middleware(
                    PlainPort,
                    origin=plain_port.origin,
                    acme_directory=self.directory / plain_port.acme_directory,
                ),
            ],
            exception_handlers={HTTPException: respond},
            routes=self._routes(self._callers()),
            lifespan=self._lifespan,
        )
        # Starlette redirects /ocr/ to /ocr at the Host header's name, which a caller can forge.
        app.router.redirect_slashes = False
        return app

    def _routes(self, callers: Sequence[Caller]) -> list[Route]:
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

    def _open(self, function: Function) -> list[Middleware]:
        """Return what stands before a function that needs no key."""
        items = [parse_limit(limit) for limit in function.limits]
        policy = f"address {function.path}"
        return [Middleware(AddressLimit, quota=self.quota, policy=policy, items=items)]

    def _guard(self, function: Function, callers: Sequence[Caller]) -> list[Middleware]:
        """Return what stands before a function that needs a key."""
        limits = self.settings.limits
        return [
            Middleware(
                AddressLimit,
                quota=self.quota,
                policy="address",
                items=[parse_limit(limits.per_address)],
            ),
            Middleware(
                Keys,
                callers=callers,
                scope=function.scope,
                quota=self.quota,
                failures=parse_limit(limits.failed_authentications),
            ),
            Middleware(
                KeyLimit,
                quota=self.quota,
                path=function.path,
                function_items=[parse_limit(limit) for limit in function.limits],
                key_item=parse_limit(limits.per_key),
            ),
        ]

    def _callers(self) -> list[Caller]:
        """Return the configured keys, or the development key where there is none."""
        if not self.settings.keys:
            key_file = self.directory / ".dev" / "key"
            scopes = {function.scope for function in self.settings.functions}
            paths = {function.path for function in self.settings.functions}
            return [development_caller(key_file, scopes, paths)]
        return [
            Caller(
                key.id,
                key.name,
                bytes.fromhex(key.sha256),
                frozenset(key.scopes),
                {path: parse_limit(limit) for path, limit in key.limits.items()},
                key.not_before or BEGINNING,
                key.expires or END,
            )
            for key in self.settings.keys
        ]

    def _transport(self, settings_file: Path) -> Transport:
        """Close Hypercorn's gaps, and have it show its Config before it serves."""

        def on_config(config: Config) -> None:
            try:
                check_config(config, settings_file, Server.model_fields)
            except ConfigMismatch as error:
                refuse_start(f"Sealed OCR does not start:\n{error}")

        tls = self.settings.tls
        choose_groups()
        write_entry(
            event="tls",
            profile=tls.profile,
            openssl=ssl.OPENSSL_VERSION,
            groups=groups_in_force(),
        )
        return install(
            max_connections=tls.max_connections,
            receive_window_bytes=tls.receive_window_bytes,
            connection_window_bytes=tls.connection_window_bytes,
            # A refused body is read to its end before the connection is given up, so that a
            # client which looks for its answer only then gets it.
            discard_bytes=2 * max(f.max_body_bytes for f in self.settings.functions),
            tls_buffer_bytes=tls.buffer_bytes,
            linger_s=tls.close_linger_s,
            reload_poll_s=tls.reload_poll_s,
            oldest=OLDEST[tls.profile],
            on_config=on_config,
            on_reload=lambda facts: write_entry(
                event="certificate_loaded", names=facts.names, not_after=facts.not_after.isoformat()
            ),
            on_reload_error=lambda error: write_entry(
                event="certificate_not_loaded", error=str(error)
            ),
        )

    def _quota(self) -> Quota:
        limits = self.settings.limits
        return Quota(
            open_storage(limits.storage.get_secret_value(), wait_s=limits.storage_wait_s),
            wait_s=limits.storage_wait_s,
            allow_on_failure=limits.on_storage_failure == "allow",
            write=write_line,
        )

    def _certificate(self) -> CertificateFacts:
        server = self.settings.server
        return certificate_in_force(
            Path(server.certfile or ""),
            Path(server.keyfile or ""),
            host=self.settings.plain_port.public_origin.host or "localhost",
            public_binds=server.public_binds,
            allow_development=self.settings.tls.allow_development_certificate,
        )

    def _warnings(self) -> Mapping[str, str]:
        """Return what is amiss and not worth refusing the start for; say it loudly."""
        warning = sandbox_warning(
            available=seccomp.available(),
            require=self.settings.sandbox.require,
            public_binds=self.settings.server.public_binds,
        )
        if warning is None:
            return {}
        sys.stderr.write(f"WARNING: {warning}\n")
        write_entry(event="sandbox_missing", warning=warning)
        return {"sandbox": warning}

    def _sizes(self) -> Sizes:
        """Return how many processes read, and with how many threads; say what they were given."""
        engine, workers = self.settings.engine, self.settings.server.workers
        sizes = choose(engine.processes, engine.threads, machine=this_machine(), workers=workers)
        write_entry(event="engine_sized", **asdict(sizes))
        return sizes

    def _hsts(self) -> str:
        private = not self.settings.server.public_binds
        return self.settings.hsts.header(development=self.certificate.development and private)

    @contextlib.asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[dict[str, Any]]:
        try:
            if self.settings.engine.warm:
                await self.reader.warm()
            yield {
                "reader": self.reader,
                "max_images": self.settings.model.max_images,
                "checks": self._checks(),
                "warnings": self.warnings,
            }
        finally:
            await self.reader.aclose()

    def _checks(self) -> Mapping[str, Check]:
        """Return what /readyz asks; each costs microseconds, or one round trip to the storage.

        The first one also starts an engine, which reads a page under its own lock.
        """

        async def weights() -> bool:
            try:
                self.reader.verify()
            except WeightsError:
                return False
            return True

        async def certificate() -> bool:
            served = self.transport.certificate
            return (
                served is not None
                and served.problem is None
                and served.facts.days_left() > VALID_DAYS
            )

        return {
            "weights": weights,
            "engine": self.reader.prove,
            "certificate": certificate,
            "limit_storage": self.quota.reachable,
        }


def start() -> Starlette:
    """Read the settings, check everything that can be checked, and build the app."""
    lock.forbid_core_dumps()
    settings_file = settings_path()
    try:
        check_command_line(sys.argv, settings_file)
        settings = load_settings(settings_file)
        return Service(settings, settings_file).app()
    except tuple(PLACES) as error:
        place = PLACES[type(error)].format(file=settings_file.name)
        refuse_start(f"Sealed OCR does not start:\n{place}{error}")


app = start()
