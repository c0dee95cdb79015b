"""TLS at nginx: Mozilla's intermediate profile, and the state of its certificate."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.processes import free_port
from tests.deploy.nginx import SHIPPED, Front, Nginx
from tests.deploy.nginx_certificates import Authority
from tests.deploy.nginx_ocsp import GOOD, REVOKED, responder
from tests.system.service import PATIENCE_S

NOT_STAPLED = 91  # curl's status: the certificate's state is not told, or not good
HANDSHAKES = 10


def _curl(nginx: Nginx) -> int:
    """Return curl's status after a handshake in which it asked for the certificate's state."""
    done = subprocess.run(
        (
            *("curl", "-sS", "--cert-status", "--cacert", nginx.authority.folder / "ca.pem"),
            *("-o", "/dev/null", f"{nginx.url}/healthz"),
        ),
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return done.returncode


@pytest.mark.parametrize(
    ("state", "stapling", "told"),
    [(GOOD, "on", True), (GOOD, "off", False), (REVOKED, "on", False)],
)
def test_the_certificate_s_state_is_stapled(
    tmp_path: Path, front: Front, state: str, stapling: str, *, told: bool
) -> None:
    """curl verifies it, and that it is good; the controls: no stapling, and a revoked one."""
    port = free_port()
    authority = Authority(tmp_path / "authority", ocsp=f"http://127.0.0.1:{port}")
    changes = {"ssl_stapling on": f"ssl_stapling {stapling}"}
    with (
        responder(authority, port, state),
        Nginx(tmp_path / "nginx", front.service.socket, authority, changes=changes) as nginx,
    ):
        # nginx asks when it is asked itself: the first clients are told nothing.
        found = [_curl(nginx) for _ in range(HANDSHAKES)]
        due = time.monotonic() + PATIENCE_S
        while told and found[-1] and time.monotonic() < due:
            found.append(_curl(nginx))
    assert set(found) <= {0, NOT_STAPLED}
    assert (0 in found) == told


def test_without_ocsp_stapling_is_left_alone(front: Front) -> None:
    """As with Let's Encrypt's certificates: said once, and served."""
    assert '"ssl_stapling" ignored, no OCSP responder URL' in front.nginx.said


@pytest.fixture(scope="module")
def lax(tmp_path_factory: pytest.TempPathFactory, front: Front) -> Iterator[Nginx]:
    """The control: nginx with what OpenSSL would do by itself, and older versions."""
    folder = tmp_path_factory.mktemp("lax") / "nginx"
    with Nginx(folder, front.service.socket, front.nginx.authority, changes=LAX) as nginx:
        yield nginx


SUITES = next(line for line in SHIPPED.read_text("utf-8").splitlines() if "ssl_ciphers" in line)
LAX = {
    "ssl_protocols TLSv1.2 TLSv1.3": "ssl_protocols TLSv1.1 TLSv1.2 TLSv1.3",
    SUITES: "ssl_ciphers ALL:@SECLEVEL=0;",
    "ssl_ecdh_curve X25519:prime256v1:secp384r1": "ssl_ecdh_curve X25519:P-256:X448:P-521",
}


def _agrees(nginx: Nginx, options: str) -> bool:
    """Return whether openssl s_client completes a handshake with these options."""
    done = subprocess.run(
        (
            *("openssl", "s_client", "-connect", f"127.0.0.1:{nginx.port}", *options.split()),
            *("-CAfile", nginx.authority.folder / "ca.pem", "-verify_return_error"),
        ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return done.returncode == 0


@pytest.mark.parametrize(
    "options",
    [
        "-tls1_3 -groups X25519",
        "-tls1_3 -groups P-256",
        "-tls1_3 -groups P-384",
        "-tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256",
        "-tls1_2 -cipher ECDHE-ECDSA-CHACHA20-POLY1305",
    ],
)
def test_the_profile_s_versions_and_suites_are_accepted(front: Front, options: str) -> None:
    """Versions, groups and suites."""
    assert _agrees(front.nginx, options)


@pytest.mark.parametrize(
    "options",
    [
        "-tls1_1 -cipher ALL:@SECLEVEL=0",
        "-tls1_3 -groups X448",
        "-tls1_3 -groups P-521",
        "-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA",
        "-tls1_2 -cipher ECDHE-ECDSA-AES256-SHA384",
    ],
)
def test_other_versions_and_suites_are_refused(front: Front, lax: Nginx, options: str) -> None:
    """And would be spoken without these lines."""
    assert not _agrees(front.nginx, options)
    assert _agrees(lax, options)
