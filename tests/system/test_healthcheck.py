"""What scripts/healthcheck.py says of services that live, and of what only looks like one."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench.processes import free_port
from tests.authorities import Authority
from tests.system.service import ROOT, Service, key_stanza
from tls.development import ensure_development_certificate

STANZA = key_stanza("aaaa1111", "caller")[1]
PLAIN: dict[str, str | None] = {"insecure_bind": "[]", "certfile": None, "keyfile": None}


def check(settings: Path, *options: str) -> tuple[int, str]:
    """Run it as a container's runtime does; return its status and what it said."""
    done = subprocess.run(
        [sys.executable, *(options or [ROOT / "scripts" / "healthcheck.py"])],
        env={"OCR_SETTINGS": str(settings), "PYTHONPATH": str(ROOT / "scripts")},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def check_at_once(settings: Path) -> tuple[int, str]:
    """The same without the pauses between its attempts."""
    program = "import healthcheck, sys; healthcheck.PAUSE_S = 0; sys.exit(healthcheck.main())"
    return check(settings, "-c", program)


def test_over_tls_the_certificate_must_be_the_service_s(tmp_path: Path) -> None:
    """Only a server with the certificate of certfile is healthy."""
    bind = f'["127.0.0.1:{free_port()}"]'
    with Service(tmp_path, server={"bind": bind}) as service:
        assert check(service.settings) == (0, "")
        ensure_development_certificate(tmp_path / "other", [])
        text = service.settings.read_text("utf-8")
        other = tmp_path / "other.toml"
        other.write_text(text.replace("/tls/certificate.pem", "/other/certificate.pem"), "utf-8")
        status, said = check_at_once(other)
    assert (status, "CERTIFICATE_VERIFY_FAILED" in said) == (1, True), said
    status, said = check(service.settings)
    assert (status, "refused" in said) == (1, True), said


@pytest.mark.parametrize("mode", ["optional", "required"])
def test_a_service_that_requires_certificates_is_healthy(tmp_path: Path, mode: str) -> None:
    """Its refusal of a caller without one counts, if it has shown the right certificate itself."""
    Authority("Root").write(tmp_path, "root")
    bind = f'["127.0.0.1:{free_port()}"]'
    local = f'[tls]\nclient_certificates = "{mode}"\nclient_ca = "{tmp_path}/root.pem"\n'
    with Service(tmp_path, server={"bind": bind}, local=local) as service:
        for _ in range(5):
            assert check(service.settings) == (0, "")
        ensure_development_certificate(tmp_path / "other", [])
        text = service.settings.read_text("utf-8")
        other = tmp_path / "other.toml"
        other.write_text(text.replace("/tls/certificate.pem", "/other/certificate.pem"), "utf-8")
        assert check_at_once(other)[0] == 1


@pytest.mark.parametrize("header", ["", 'header = "forwarded"\n', 'header = "x-forwarded"\n'])
@pytest.mark.parametrize("unix", [False, True])
def test_behind_a_proxy(tmp_path: Path, header: str, unix: bool) -> None:  # noqa: FBT001 - pytest's
    """Over loopback and a Unix socket, whatever [proxy] says, in settings.local.toml too."""
    bind = f"unix:{tmp_path}/s" if unix else f"127.0.0.1:{free_port()}"
    server = {**PLAIN, "bind": f'["{bind}"]', "umask": "0o077"}
    local = f'[proxy]\ntrusted = ["{"unix" if unix else "127.0.0.1"}"]\n{header}{STANZA}'
    with Service(tmp_path, server=server, local=local) as service:
        assert check(service.settings) == (0, "")


def test_a_redirect_is_not_healthy(tmp_path: Path) -> None:
    """Where no proxy is trusted, plain HTTP is redirected: that is not /healthz."""
    bind = f"127.0.0.1:{free_port()}"
    with Service(tmp_path, server={"insecure_bind": f'["{bind}"]'}) as service:
        text = service.settings.read_text("utf-8")
        other = tmp_path / "other.toml"
        lines = [line for line in text.splitlines() if not line.startswith(("bind", "certfile"))]
        other.write_text("\n".join([f'bind = "{bind}"', *lines]), "utf-8")
        status, said = check_at_once(other)
    assert (status, "responded 308" in said) == (1, True), said
