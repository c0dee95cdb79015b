"""deploy/nginx.conf: what the service learns of a client, and what a client gets to see."""

import json
from pathlib import Path

import httpx2
import pytest

from tests.deploy.nginx import Behind, Front, Nginx

FORGED = {
    "Forwarded": "for=192.0.2.66;proto=http",
    "X-Forwarded-For": "192.0.2.66",
    "X-Forwarded-Proto": "http",
    "X-Real-IP": "192.0.2.66",
}
NAMED = {"sni_hostname": "localhost"}
CARELESS = "key=of-somebody-careless"


def _logged(front: Front, answer: httpx2.Response) -> dict[str, object]:
    entry: dict[str, object] = json.loads(front.service.logged(answer.headers["x-request-id"]))
    return entry


@pytest.mark.parametrize("http2", [True, False])
def test_the_client_s_address_is_passed_on(front: Front, *, http2: bool) -> None:
    """And nothing that the client itself says of it, nor of its scheme."""
    with front.client(http2=http2) as client:
        answer = client.get("/healthz", headers=FORGED)
    assert (answer.status_code, _logged(front, answer)["address"]) == (200, "127.0.0.1")


def test_an_ipv6_address_is_quoted_in_forwarded(front: Front) -> None:
    """In brackets and quotes, or the service would answer 400."""
    with front.client() as client:
        answer = client.get(f"https://[::1]:{front.nginx.port}/healthz", extensions=NAMED)
    assert (answer.status_code, _logged(front, answer)["address"]) == (200, "::1")


@pytest.mark.parametrize("http2", [True, False])
def test_no_response_header_is_doubled(front: Front, *, http2: bool) -> None:
    """HSTS is the service's, and nginx adds none of its own, nor its version."""
    with front.client(http2=http2) as client:
        answer = client.get("/healthz")
    for name in ("strict-transport-security", "cache-control", "x-content-type-options"):
        assert len(answer.headers.get_list(name)) == 1, name
    assert answer.headers["server"] == "nginx"


def test_the_unused_forwarding_header_is_emptied(tmp_path: Path, front: Front) -> None:
    """A service that trusts the other header takes every request for plain HTTP."""
    (tmp_path / "service").mkdir()
    with (
        Behind(tmp_path / "service", proxy='header = "x-forwarded"') as service,
        Nginx(tmp_path / "nginx", service.socket, front.nginx.authority) as nginx,
        nginx.client(service.token) as client,
    ):
        answer = client.get("/healthz", headers={**FORGED, "X-Forwarded-Proto": "https"})
        assert answer.status_code == 308
        assert json.loads(service.logged(answer.headers["x-request-id"]))["address"] == "local"


def test_plain_http_is_redirected_or_refused_by_the_service(front: Front) -> None:
    """To its public_origin, whatever Host says; a key that came in clear is told so."""
    forged = {"Host": "evil.example", "Forwarded": "for=192.0.2.1;proto=https"}
    moved = httpx2.get(f"{front.nginx.plain_url}/ocr?pages=1", headers=forged)
    assert (moved.status_code, moved.headers["location"]) == (
        308,
        "https://ocr.example.org/ocr?pages=1",
    )
    assert "strict-transport-security" not in moved.headers
    refused = httpx2.post(f"{front.nginx.plain_url}/ocr", content=b"x" * 200_000)
    assert (refused.status_code, refused.json()["code"]) == (403, "plain_http_refused")


def test_nginx_serves_acme_challenges(front: Front) -> None:
    """From certbot's folder; what is not there is a problem document."""
    folder = front.nginx.folder / "acme" / ".well-known" / "acme-challenge"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "token").write_text("token.thumbprint", "ascii")
    place = f"{front.nginx.plain_url}/.well-known/acme-challenge"
    assert httpx2.get(f"{place}/token").text == "token.thumbprint"
    missing = httpx2.get(f"{place}/none")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")


def test_what_nginx_refuses_is_a_problem_document(front: Front) -> None:
    """Also what is no HTTP, over TLS or not."""
    with front.client(http2=False) as client:
        answers = [
            client.request("TRACE", "/healthz"),
            client.get("/healthz", headers={"x-long": "x" * 20_000}),
            httpx2.get(f"http://localhost:{front.nginx.port}/healthz"),
        ]
    assert [answer.status_code for answer in answers] == [405, 400, 400]
    for answer in answers:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code


@pytest.mark.parametrize("level", ["emerg", "crit"])
def test_without_the_service_503_without_request_content(
    tmp_path: Path, front: Front, level: str
) -> None:
    """A problem document says when to try again; the control: at "crit" the URL is written."""
    changes = {"error.log emerg": f"error.log {level}"}
    nothing = tmp_path / "no.sock"
    with (
        Nginx(tmp_path / "nginx", nothing, front.nginx.authority, changes=changes) as nginx,
        nginx.client("some key", http2=False) as client,
    ):
        answer = client.post(f"/ocr?{CARELESS}", content=b"x" * 200_000)
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json()["code"], answer.headers["retry-after"]) == ("service_down", "5")
    written = "".join(file.read_text("utf-8") for file in nginx.folder.glob("*.log"))
    assert (CARELESS in written) == (level == "crit")


def test_a_restarted_service_is_used_again(tmp_path: Path, front: Front) -> None:
    """Connections that nginx keeps open to the old process do not fail requests."""
    (tmp_path / "service").mkdir()
    with (
        Behind(tmp_path / "service") as service,
        Nginx(tmp_path / "nginx", service.socket, front.nginx.authority) as nginx,
        nginx.client(None) as client,
    ):
        assert client.get("/healthz").status_code == 200
        service.stop()
        assert client.get("/healthz").status_code == 503
        with Behind(tmp_path / "service"):
            assert client.get("/healthz").status_code == 200
