"""A certificate of an ACME authority, issued and renewed as docs/acme.md says."""

import os
import shlex
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path

import httpx2

from bench.processes import free_port
from tests.system.acme import NAME, Authority, Certbot
from tests.system.service import PATIENCE_S, ROOT, Service, key_stanza

Start = Callable[..., Service]
HOOK = ROOT / "deploy" / "certbot-hook"
RENEW = ("renew", "--force-renewal", "--no-random-sleep-on-renew")


def public(start: Start, port: int, more: str = "", files: Path | None = None) -> Service:
    """Start a service that other machines reach, its plain port where challenges are asked for.

    `files` is where another one had its certificate.
    """
    _, stanza = key_stanza("acmekey1", "acme")
    server = {"bind": '["0.0.0.0:0"]', "insecure_bind": f'["0.0.0.0:{port}"]'}
    if files is not None:
        server["certfile"] = f'"{files}/certificate.pem"'
        server["keyfile"] = f'"{files}/certificate.key"'
    origin = f'[plain_port]\npublic_origin = "https://{NAME}"\n'
    return start(local=f"[tls]\nreload_poll_s = 0.2\n{more}\n{origin}{stanza}", server=server)


def hook(settings: Path) -> tuple[str, ...]:
    """Return certbot's --deploy-hook; the service runs as the user of the tests."""
    user = ["--user", "root"] if os.geteuid() == 0 else []
    return "--deploy-hook", shlex.join([str(HOOK), "--settings", str(settings), *user])


def issue(certbot: Certbot, settings: Path, *how: str) -> None:
    """Request a certificate, to be installed by the hook."""
    account = ("--agree-tos", "-m", f"operator@{NAME}")
    certbot.run("certonly", "-d", NAME, *account, *hook(settings), *how)


def webroot(settings: Path) -> tuple[str, ...]:
    """Return certbot's options for challenges over the service's plain port."""
    folder = settings.with_name("acme")
    folder.mkdir()
    return "--webroot", "-w", str(folder)


def serial(service: Service, trust: ssl.SSLContext) -> str:
    """Return the serial number that a new handshake sees, the chain verified; "" where it fails."""
    with socket.create_connection(("127.0.0.1", service.ports["https"]), PATIENCE_S) as bare:
        try:
            with trust.wrap_socket(bare, server_hostname=NAME) as secured:
                return str((secured.getpeercert() or {})["serialNumber"])
        except ssl.SSLCertVerificationError:
            return ""


def asked_under(client: httpx2.Client, service: Service) -> str:
    """Make a request; return the serial number its connection was opened under."""
    answer = client.get(
        f"https://127.0.0.1:{service.ports['https']}/healthz", extensions={"sni_hostname": NAME}
    )
    assert (answer.status_code, answer.http_version) == (200, "HTTP/2")
    secured = answer.extensions["network_stream"].get_extra_info("ssl_object")
    return str(secured.getpeercert()["serialNumber"])


def loaded(service: Service, times: int) -> None:
    """Wait until the log has told of so many certificates taken up."""
    due = time.monotonic() + PATIENCE_S
    while sum('"certificate_loaded"' in line for line in service.log) < times:
        assert time.monotonic() < due, service.log
        time.sleep(0.01)
    assert not any('"certificate_not_loaded"' in line for line in service.log)


def test_issued_and_renewed_while_it_serves(start: Start, tmp_path: Path) -> None:
    """Both reach new handshakes without a restart, and a connection from before goes on."""
    port = free_port()
    with (
        Authority(tmp_path / "authority", port) as authority,
        public(start, port, "allow_development_certificate = true") as service,
    ):
        certbot, trust = Certbot(tmp_path / "certbot", authority), authority.trust()
        assert serial(service, trust) == ""
        issue(certbot, service.settings, *webroot(service.settings))
        loaded(service, 1)
        first = serial(service, trust)
        assert first
        with httpx2.Client(http1=False, http2=True, verify=trust) as client:
            assert asked_under(client, service) == first
            certbot.run(*RENEW)
            loaded(service, 2)
            assert serial(service, trust) not in {"", first}
            assert asked_under(client, service) == first, "the connection was not kept"


def test_issued_before_the_first_start(start: Start, tmp_path: Path) -> None:
    """A service that never had another certificate starts with it, and renews through itself."""
    port = free_port()
    with Authority(tmp_path / "authority", port) as authority:
        certbot, trust = Certbot(tmp_path / "certbot", authority), authority.trust()
        refused = public(start, port)
        assert refused.refusal()[0] != 0, "it is to have no certificate yet"
        files = refused.directory / "tls"
        files.mkdir(exist_ok=True)
        issue(certbot, refused.settings, "--standalone", "--http-01-port", str(port))
        with public(start, port, files=files) as service:
            first = serial(service, trust)
            assert first
            issue(certbot, service.settings, *webroot(service.settings), "--force-renewal")
            loaded(service, 1)
            second = serial(service, trust)
            certbot.run(*RENEW)
            loaded(service, 2)
            assert len({"", first, second, serial(service, trust)}) == 4
