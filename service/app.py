"""The one Starlette app, built from settings.toml: functions become routes, tables the envelope.

Importing this module starts nothing that reads: the engine and its model load with the first
reading, in processes of their own.
"""

import asyncio
import contextlib
import gc
import signal
import ssl
import sys
import threading
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypercorn.config import Config
from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from handlers.problems import respond
from middleware.log import entry
from middleware.proxy import is_within
from middleware.quota import subnet_of
from model.errors import WeightsError
from model.reader import Reader
from model.sandbox import lock, seccomp
from model.sizing import Sizes, choose, this_machine
from server.install import ProbeError, ServerOptions, install
from server.patches import ServerHandle
from server.serving import refuse_start
from service.certificate import certificate_in_force
from service.client_ca_reload import ClientCAReload
from service.hypercorn_config import ConfigMismatch, check_command_line, check_config
from service.middleware_stack import MiddlewareStack
from service.readiness import checks_of, warnings_of
from service.reload import SettingsReload
from service.routes import HandlerError
from service.sandbox import SandboxError, sandbox_warning
from service.sockets import InheritedSocketError, check_inherited
from settings import Settings, SettingsError, load_settings, settings_files, settings_path
from settings.server import Server
from tls.certificates import CertificateError, CertificateFacts, ClientCAError
from tls.profiles import OLDEST, choose_groups, groups_in_force
from tls.watch import FileWatch, poll_every

if TYPE_CHECKING:  # it costs 160 ms, and most never need it
    from tls.clients import ClientTrustStore

# What can stop the start, and where the operator finds it; some messages say that themselves.
PLACES: Mapping[type[Exception], str] = {
    SettingsError: "",
    ConfigMismatch: "",
    CertificateError: "{file}: certfile, keyfile: ",
    ClientCAError: "{file}: ",
    WeightsError: "{file}: [model] or the weights: ",
    HandlerError: "{file}: ",
    SandboxError: "{file}: [sandbox]: ",
    InheritedSocketError: "{file}: bind: ",
    ProbeError: "the installed Hypercorn: ",
}


def write_entry(**facts: object) -> None:
    """Log what happened to the service itself."""
    write_line(entry(**facts))


def write_line(line: str) -> None:
    """Write a line of the log; one that cannot be written stops nothing."""
    with contextlib.suppress(OSError):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


class Service:
    """What the settings build, once in each serving process."""

    def __init__(self, settings: Settings, settings_file: Path, watch: FileWatch) -> None:
        self.settings = settings
        self.settings_file = settings_file
        self.watch = watch
        self.directory = settings_file.resolve().parent
        self.unlocked = self._unlocked()
        self.certificate = self._certificate()
        self.clients = self._clients()
        self.transport = self._transport()
        sizes = self._sizes()
        self.reader = Reader(
            **settings.model.model_dump(exclude={"max_images"}),
            engines=sizes.processes,
            threads=sizes.threads,
            **settings.engine.model_dump(exclude={"warm", "processes", "threads"}),
            seccomp=self.unlocked is None,
            report=lambda process, cause: write_entry(
                event="process_ended", process=process, cause=cause
            ),
        )
        self.app = Starlette(exception_handlers={HTTPException: respond}, lifespan=self._lifespan)
        # Starlette redirects /ocr/ to /ocr at the Host header's name, which a caller can forge.
        self.app.router.redirect_slashes = False
        self.live = SettingsReload(
            self.app,
            settings,
            read=lambda: load_settings(settings_file),
            surround=self._surround,
            report=write_entry,
        )
        self.trust: ClientCAReload | None = None
        if self.clients is not None:
            self.trust = ClientCAReload(
                self.clients, changed=self.transport.trust_changed, report=write_entry
            )

    def _surround(self, settings: Settings, before: MiddlewareStack | None) -> MiddlewareStack:
        return MiddlewareStack(
            settings,
            self.directory,
            write_line,
            clients=self.clients,
            development_certificate=self.certificate is not None and self.certificate.development,
            before=before,
        )

    def _transport(self) -> ServerHandle:
        """Close Hypercorn's gaps, and have it show its Config before it serves."""

        def on_config(config: Config) -> None:
            try:
                check_config(config, self.settings_file, Server.model_fields)
            except ConfigMismatch as error:
                refuse_start(f"Sealed OCR does not start:\n{error}")

        tls = self.settings.tls
        options = ServerOptions(
            max_connections=tls.max_connections,
            max_connections_per_address=tls.max_connections_per_address,
            new_connections_per_s=tls.new_connections_per_s,
            subnet_of=self._network_of,
            receive_window_bytes=tls.receive_window_bytes,
            connection_window_bytes=tls.connection_window_bytes,
            # A refused body is read to its end before the connection is given up, so that a
            # client which looks for its answer only then gets it.
            discard_bytes=2 * max(f.max_body_bytes for f in self.settings.functions),
            tls_buffer_bytes=tls.buffer_bytes,
            linger_s=tls.close_linger_s,
            send_timeout_s=tls.send_timeout_s,
            control_frames_per_s=tls.control_frames_per_s,
            reload_poll_s=tls.reload_poll_s,
            ticket_key_s=tls.session_ticket_key_s,
            oldest=OLDEST[tls.profile],
            host=self.settings.plain_port.host,
            key_passphrase=tls.passphrase,
            clients=self.clients,
            on_config=on_config,
            on_reload=lambda facts: write_entry(event="certificate_loaded", **facts.summary()),
            on_reload_error=lambda error: write_entry(
                event="certificate_not_loaded", error=str(error)
            ),
        )
        return install(options)

    def _network_of(self, address: str) -> str | None:
        """Return what a connection is counted in; those of proxies come for everybody."""
        return None if is_within(address, self.settings.proxy.networks) else subnet_of(address)

    def _certificate(self) -> CertificateFacts | None:
        """Choose OpenSSL's groups, and say what TLS begins with; None where a proxy has it."""
        server = self.settings.server
        if not server.has_tls:
            return None
        facts = certificate_in_force(
            Path(server.certfile or ""),
            Path(server.keyfile or ""),
            passphrase=self.settings.tls.passphrase,
            host=self.settings.plain_port.host,
            public_binds=server.public_binds,
            allow_development=self.settings.tls.allow_development_certificate,
        )
        tls = self.settings.tls
        choose_groups()
        write_entry(
            event="tls",
            profile=tls.profile,
            openssl=ssl.OPENSSL_VERSION,
            groups=groups_in_force(),
            client_certificates=tls.client_certificates,
            **facts.summary(),
        )
        return facts

    def _clients(self) -> "ClientTrustStore | None":
        """Return who judges client certificates; None where none are asked for."""
        tls = self.settings.tls
        if tls.client_certificates == "off":
            return None
        from tls.clients import ClientTrustStore  # noqa: PLC0415 - imports cryptography: 160 ms

        return ClientTrustStore(
            self.directory / str(tls.client_ca),
            self.directory / tls.client_crl if tls.client_crl else None,
            required=tls.client_certificates == "required",
        )

    def _unlocked(self) -> str | None:
        """Return why the processes that read cannot be locked, if they cannot; say it loudly."""
        warning = sandbox_warning(
            available=seccomp.available(),
            require=self.settings.sandbox.require,
            reachable_by=self.settings.reachable_by,
        )
        if warning is not None:
            sys.stderr.write(f"WARNING: {warning}\n")
            write_entry(event="sandbox_missing", warning=warning)
        return warning

    def _sizes(self) -> Sizes:
        """Return how many processes read, and with how many threads; say what they were given."""
        engine, workers = self.settings.engine, self.settings.server.workers
        sizes = choose(engine.processes, engine.threads, machine=this_machine(), workers=workers)
        write_entry(event="engine_sized", **asdict(sizes))
        return sizes

    def _look(self) -> None:
        """Take up what has changed and rested."""
        if self.watch.poll():
            self.live.reload()
        if self.trust is not None:
            self.trust.look()

    def _reload(self) -> None:
        """Take up everything as it is now, because SIGHUP says that it is complete."""
        self.watch.accept()
        self.live.reload()
        if self.trust is not None:
            self.trust.reload()
        self.transport.reload()
        served = self.transport.certificate
        problems = (
            self.live.problem,
            self.trust and self.trust.problem,
            served and served.problem,
        )
        write_entry(event="reloaded", not_taken_up=[problem for problem in problems if problem])

    def _start_looking(self) -> None:
        poll_every(self.settings.tls.reload_poll_s, self._look)
        if self.settings.server.workers == 0:  # a supervisor has its own use for the signal
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._reload)

    @contextlib.asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[dict[str, Any]]:
        self._start_looking()
        # What has been imported stays: looking through it for garbage again and again holds
        # every answer up for a tenth of a second.
        gc.freeze()
        try:
            if self.settings.engine.warm:
                await self.reader.warm()
            yield {
                "reader": self.reader,
                "max_images": self.settings.model.max_images,
                "checks": checks_of(self.reader, self.transport, self.live, self.trust),
                "warnings": partial(
                    warnings_of, self.unlocked, self.transport, self.live, self.trust
                ),
            }
        finally:
            await self.reader.aclose()


def start() -> Starlette:
    """Read the settings, check everything that can be checked, and build the app."""
    lock.forbid_core_dumps()
    if threading.current_thread() is threading.main_thread():
        # Until there is something to reload it would end the process.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    settings_file = settings_path()
    watch = FileWatch(lambda: settings_files(settings_file))  # first: no change goes unseen
    try:
        check_command_line(sys.argv, settings_file)
        settings = load_settings(settings_file)
        if not settings.server.has_tls:
            proxy = settings.proxy
            check_inherited(
                settings.server.bind, trusts_unix=proxy.trusts_unix, trusts=proxy.trusts
            )
        return Service(settings, settings_file, watch).app
    except tuple(PLACES) as error:
        place = PLACES[type(error)].format(file=settings_file.name)
        refuse_start(f"Sealed OCR does not start:\n{place}{error}")


app = start()
