"""Plain HTTP, as a browser, an API client and certbot meet it."""

import httpx2

from tests.system.service import Service


def test_redirects_to_the_configured_origin(service: Service) -> None:
    """GET and HEAD are sent to the public origin, whatever the Host header says."""
    for method in ("GET", "HEAD"):
        answer = httpx2.request(
            method, f"{service.plain_url}/ocr?x=1", headers={"host": "evil.example"}
        )
        assert answer.status_code == 308
        assert answer.headers["location"] == "https://localhost:8443/ocr?x=1"
        assert "strict-transport-security" not in answer.headers


def test_refuses_what_carries_a_key(service: Service) -> None:
    """A POST is 403 with the reason: its key has crossed the network unencrypted."""
    answer = httpx2.post(f"{service.plain_url}/ocr", headers={"x-api-key": service.key})
    assert answer.status_code == 403
    assert answer.json()["code"] == "plain_http_refused"
    assert "HTTPS" in answer.json()["detail"]


def test_serves_acme_challenges(service: Service) -> None:
    """The files that certbot --webroot writes are served; nothing else in or above the folder."""
    folder = service.directory / "acme" / ".well-known" / "acme-challenge"
    folder.mkdir(parents=True)
    (folder / "token_1-A").write_text("token_1-A.thumbprint")
    (folder.parent / "secret").write_text("secret")
    base = f"{service.plain_url}/.well-known/acme-challenge"
    assert httpx2.get(f"{base}/token_1-A").text == "token_1-A.thumbprint"
    for path in ("/..%2fsecret", "/../secret", "/none", "/"):
        assert httpx2.get(base + path).status_code == 308
