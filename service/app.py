"""Build the app from settings.toml: reader, middleware, routes, and the server it runs on."""

import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from metrics.counts import Counts
from model.reader import Reader
from model.sandbox import lock
from server.install import refuse_start
from service.api_keys import presented_certificate
from service.audit import open_audit
from service.certificate import check_certificate, client_trust, start_tls
from service.certificate_reload import CertificateReload
from service.client_ca_reload import ClientCAReload
from service.descriptors import allow_descriptors
from service.hardened_server import install_server
from service.hypercorn_config import check_command_line
from service.lifespan import Lifespan
from service.log import log_event, write_line
from service.metrics import Metrics
from service.metrics_workers import Scrape
from service.middleware_stack import MiddlewareStack, Surroundings
from service.reader import make_reader
from service.readiness import Readiness
from service.reload import Reload, SettingsReload
from service.reloadable_app import ReloadableApp
from service.respawn import choose_format_of_all
from service.sandbox import check_sandbox
from service.sockets import check_inherited
from service.start_checks import NO_START, check_development_key, mistakes
from service.start_refused import StartRefused, refusing
from settings import (
    Settings,
    SettingsError,
    examine,
    load_settings,
    settings_files,
    settings_path,
)
from settings.advice import public_origin_advice
from tls.certificates import CertificateFacts
from tls.watch import FileWatch

if TYPE_CHECKING:  # it takes 160 ms to import, and most services do not need it
    from server.patches import ServerHandle
    from tls.clients import ClientTrustStore


def create_app() -> ReloadableApp:
    """Return the app that Hypercorn serves in this process.

    The file is the one OCR_SETTINGS names, or settings.toml beside app.py. Everything that can be
    checked is checked now; a mistake ends the process with a message and a status that is not 0.
    It changes the process: core dumps are forbidden, SIGHUP is ignored until there is something to
    reload, and the Hypercorn of this process is hardened. Nothing that reads images is started.
    """
    settings_file = settings_path()
    try:
        check_command_line(sys.argv, settings_file)
        _prepare_process()
        return _build(settings_file)
    except StartRefused as refusal:
        refuse_start("\n".join([NO_START, *_all_mistakes(refusal, settings_file)]))


def _all_mistakes(refusal: StartRefused, settings_file: Path) -> list[str]:
    """Return the mistake that has ended the start, and those that it would have found next."""
    examination = examine(settings_file)
    first = refusal.describe(examination.origins).splitlines()
    return [*first, *(each for each in mistakes(examination, settings_file) if each not in first)]


def _prepare_process() -> None:
    """Forbid core dumps, and ignore SIGHUP, which would end the process."""
    lock.disable_core_dumps()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _build(settings_file: Path) -> ReloadableApp:
    watch = FileWatch(lambda: settings_files(settings_file))  # first, so that no change is missed
    settings = _read(settings_file)
    choose_format_of_all(settings.log.format)
    allow_descriptors(settings)
    directory = settings_file.resolve().parent
    _log_what_may_not_be_meant(settings)
    check_development_key(settings, directory)
    no_sandbox = check_sandbox(require=settings.sandbox.require, reachable_by=settings.reachable_by)
    certificate = start_tls(settings)
    clients = client_trust(settings, directory)
    server = install_server(settings, settings_file, clients)
    audit = open_audit(settings, directory, presented_certificate(clients))
    counts = Counts(function.path for function in settings.enabled_functions)
    reader = make_reader(settings, counts, seccomp=no_sandbox is None)
    surroundings = Surroundings(
        directory=directory,
        write=write_line,
        clients=clients,
        development_certificate=certificate is not None and certificate.development,
        counts=counts,
        audit=audit.requests if audit is not None else None,
    )
    settings_reload = SettingsReload(
        settings,
        watch,
        read=lambda: load_settings(settings_file),
        build=lambda new, before: MiddlewareStack(new, surroundings, before),
    )
    certificate_reload = _reloaded_certificate(settings, certificate, server)
    client_ca = _reloaded_client_ca(clients, server, certificate_reload)
    reloads: Sequence[Reload | None] = (settings_reload, client_ca, certificate_reload)
    readiness = Readiness(
        reader, certificate_reload, settings_reload, client_ca, no_sandbox, server, audit
    )
    metrics = Metrics(counts, reader, server, readiness)
    lifespan = _lifespan(settings, reader, readiness, reloads, metrics)
    return ReloadableApp(lambda: settings_reload.app, lifespan)


def _lifespan(
    settings: Settings,
    reader: Reader,
    readiness: Readiness,
    reloads: Sequence[Reload | None],
    metrics: Metrics,
) -> Lifespan:
    return Lifespan(
        settings,
        reader=reader,
        readiness=readiness,
        reloads=[each for each in reloads if each is not None],
        scrape=Scrape(metrics, settings.server.workers),
    )


def _log_what_may_not_be_meant(settings: Settings) -> None:
    if (advice := public_origin_advice(settings)) is not None:
        log_event(event="public_origin_port", warning=advice)
    if paths := settings.paths_without_key_from_loopback:
        log_event(event="loopback_without_key", functions=paths)


def _reloaded_certificate(
    settings: Settings, facts: CertificateFacts | None, server: "ServerHandle"
) -> CertificateReload | None:
    if facts is None:
        return None
    return CertificateReload(
        facts,
        [settings.server.certfile or "", settings.server.keyfile or ""],
        check=lambda: check_certificate(settings),
        renew=server.renew_context,
        ticket_key_s=settings.tls.session_ticket_key_s,
    )


def _reloaded_client_ca(
    clients: "ClientTrustStore | None",
    server: "ServerHandle",
    certificate: CertificateReload | None,
) -> ClientCAReload | None:
    if clients is None:
        return None

    def changed(generation: int) -> None:
        server.close_verified_before(generation)
        if certificate is not None:
            certificate.renew()  # a context cannot be made to trust fewer CAs

    return ClientCAReload(clients, changed=changed)


def _read(settings_file: Path) -> Settings:
    """Return the settings; the sockets they inherit are checked, too.

    Raises:
        StartRefused: the settings are wrong, or an inherited socket may not carry plain HTTP.

    """
    with refusing(SettingsError):  # its messages name files and keys
        settings = load_settings(settings_file)
    if not settings.server.has_tls:
        proxy = settings.proxy
        check_inherited(settings.server.bind, trusts_unix=proxy.trusts_unix, trusts=proxy.trusts)
    return settings
