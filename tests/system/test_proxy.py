"""The service behind a proxy: what a trusted one may say, over a Unix socket and over loopback."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from tests.system.conftest import Draw
from tests.system.service import PATIENCE_S, Service, key_stanza

Start = Callable[..., Service]
KEY, STANZA = key_stanza("aaaa1111", "caller", 'limits = { "*" = "1000/minute" }')
SEALED = {"forwarded": "for=198.51.100.9;proto=https"}


def over(socket: Path, **headers: str) -> httpx2.Client:
    """Return a client that speaks to a Unix socket, as a proxy does."""
    transport = httpx2.HTTPTransport(uds=str(socket))
    return httpx2.Client(
        transport=transport, base_url="http://ocr", headers=headers, timeout=PATIENCE_S
    )


@pytest.fixture(scope="module")
def socket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Choose a path for the socket; it has to be short."""
    return tmp_path_factory.mktemp("s") / "ocr.sock"


@pytest.fixture(scope="module")
def service(socket: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Start a service without a certificate on a Unix socket."""
    server = {
        "bind": f'["unix:{socket}"]',
        "umask": "0o007",
        "insecure_bind": "[]",
        "certfile": None,
        "keyfile": None,
    }
    local = '[proxy]\ntrusted = ["unix"]\n' + STANZA
    directory = tmp_path_factory.mktemp("service")
    with Service(directory, server=server, local=local) as running:
        yield running


def test_a_reading_over_a_unix_socket(service: Service, socket: Path, draw: Draw) -> None:
    """The client's address is in the log, HSTS in the answer: to it the connection was sealed."""
    with over(socket, **SEALED) as client:
        answer = client.post(
            "/ocr", headers={"x-api-key": KEY}, files={"image": draw("BEHIND A PROXY")}
        )
    assert "BEHIND A PROXY" in answer.json()["text"]
    assert "max-age=63072000" in answer.headers["strict-transport-security"]
    assert '"address": "198.51.100.9"' in service.logged(answer.headers["x-request-id"])


def test_no_certificate_is_made_or_asked_for(service: Service, socket: Path) -> None:
    """The proxy has it; /readyz looks at none."""
    assert not (service.directory / "tls").exists()
    with over(socket, **SEALED) as client:
        ready = client.get("/readyz")
    assert ready.status_code == 200
    assert "certificate" not in ready.json()["checks"]


def test_plain_http_before_the_proxy_is_refused(socket: Path, service: Service) -> None:
    """A proxy that reports plain HTTP, or nothing, gets the response of plain HTTP."""
    assert service
    for headers in ({"forwarded": "for=198.51.100.9;proto=http"}, {}):
        with over(socket, **headers) as client:
            assert client.get("/ocr").status_code == 308
            refused = client.post("/ocr", headers={"x-api-key": KEY})
            assert refused.json()["code"] == "plain_http_refused"


def test_malformed_forwarding_headers_are_a_400(socket: Path, service: Service) -> None:
    """FunctionName, not repeated."""
    with over(socket, forwarded="for=canary;proto=https") as client:
        answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_forwarding")
    assert "canary" not in answer.text
    assert "canary" not in "\n".join(service.log)


def test_limits_are_counted_by_the_client_s_address(socket: Path, service: Service) -> None:
    """Clients are counted apart although one proxy sends all their requests."""
    assert service
    left = []
    with over(socket) as client:
        for address in ("203.0.113.1", "203.0.113.1", "203.0.113.2"):
            headers = {"forwarded": f"for={address};proto=https", "x-api-key": KEY}
            left.append(client.post("/ocr", headers=headers).headers["ratelimit"].split(";")[1])
    assert left == ["r=599", "r=598", "r=599"]


def test_umask_limits_who_may_connect(socket: Path, service: Service) -> None:
    """Owner and group only."""
    assert service
    assert socket.stat().st_mode & 0o777 == 0o770


def test_a_proxy_over_loopback(start: Start) -> None:
    """Headers from a trusted network are used; x-forwarded only where it is configured."""
    server = {
        "bind": '["127.0.0.1:0"]',
        "insecure_bind": "[]",
        "certfile": None,
        "keyfile": None,
    }
    local = '[proxy]\ntrusted = ["127.0.0.0/8"]\nheader = "x-forwarded"\n' + STANZA
    said = {"x-forwarded-for": "203.0.113.66, 198.51.100.9", "x-forwarded-proto": "https"}
    with start(server=server, local=local) as service:
        answer = httpx2.get(f"{service.plain_url}/healthz", headers=said)
        assert answer.status_code == 200
        assert '"198.51.100.9"' in service.logged(answer.headers["x-request-id"])
        assert httpx2.get(f"{service.plain_url}/healthz", headers=SEALED).status_code == 308


def test_untrusted_forwarding_headers_are_ignored(start: Start) -> None:
    """The negative control: without [proxy], or from elsewhere, the same words change nothing."""
    with start(local=STANZA) as service, service.client(key=KEY) as client:
        answer = client.get("/healthz", headers={**SEALED, "forwarded": "for=1.2.3.4;for=x"})
        assert answer.status_code == 200
        assert '"127.0.0.1"' in service.logged(answer.headers["x-request-id"])
        plain = httpx2.get(f"{service.plain_url}/healthz", headers=SEALED)
        assert plain.status_code == 308
    local = '[proxy]\ntrusted = ["10.0.0.0/8"]\n' + STANZA
    with start(local=local) as service, service.client(key=KEY) as client:
        answer = client.get("/healthz", headers=SEALED)
        assert '"127.0.0.1"' in service.logged(answer.headers["x-request-id"])
