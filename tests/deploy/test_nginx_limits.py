"""Times and numbers: what the service has to say arrives, and nginx's own limits fit in with it."""

import re
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from settings import load_settings
from tests.deploy import nginx_http2
from tests.deploy.nginx import SHIPPED, Front, Nginx
from tests.deploy.nginx_functions import HANGS
from tests.deploy.nginx_wire import through
from tests.server.servers import until
from tests.system.service import PATIENCE_S, ROOT

HEAD = "GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize("http2", [True, False])
def test_the_service_s_error_documents_pass_nginx(front: Front, *, http2: bool) -> None:
    """Also with a status that nginx has a document for; they have the request's id."""
    expected = {
        ("GET", "/none"): (404, "not_found"),
        ("DELETE", "/healthz"): (405, "method_not_allowed"),
        ("GET", "/late"): (504, "deadline_exceeded"),
    }
    with front.client(http2=http2) as client:
        for (method, path), (status, code) in expected.items():
            answer = client.request(method, path)
            document = answer.json()
            assert (answer.status_code, document["code"]) == (status, code)
            assert document["request_id"] == answer.headers["x-request-id"]


def _trickle() -> Iterator[bytes]:
    for _ in range(8):
        yield b"x"
        time.sleep(0.2)


def test_a_slow_body_is_answered_by_the_service(front: Front) -> None:
    """408 by the service: nginx's timeout is longer."""
    with front.client() as client:
        answer = client.post("/slow", content=_trickle())
    assert (answer.status_code, answer.json()["code"]) == (408, "body_too_slow")
    assert "request_id" in answer.json()


@pytest.mark.parametrize("ignored", [False, True])
def test_a_client_that_leaves_ends_its_request(
    tmp_path: Path, front: Front, *, ignored: bool
) -> None:
    """A disconnected client's request is ended; in the control nginx keeps the connection."""
    line = "proxy_http_version 1.1;"
    changes = {line: f"{line} proxy_ignore_client_abort on;"} if ignored else {}
    authority, service = front.nginx.authority, front.service
    with Nginx(tmp_path / "nginx", service.socket, authority, changes=changes) as nginx:
        hanging, ended = service.log.count(HANGS), _ended(front)
        with through(nginx) as connection:
            connection.sendall(HEAD.format("/hang").encode())
            until(lambda: service.log.count(HANGS) == hanging + 1)
            assert _ended(front) == ended
        due = time.monotonic() + (1 if ignored else PATIENCE_S)
        while _ended(front) == ended and time.monotonic() < due:
            time.sleep(0.01)
        assert _ended(front) == ended + (not ignored)


def _ended(front: Front) -> int:
    return sum('"/hang"' in line for line in front.service.log)


def test_requests_of_one_address_are_limited(tmp_path: Path, front: Front) -> None:
    """One more is answered 429, and others go on."""
    changes = {"limit_conn addresses 100": "limit_conn addresses 2"}
    authority, backend = front.nginx.authority, front.service.socket
    with (
        Nginx(tmp_path / "nginx", backend, authority, changes=changes) as nginx,
        through(nginx) as one,
        through(nginx) as other,
        nginx.client(None) as client,
    ):
        hanging = front.service.log.count(HANGS)
        for connection in (one, other):
            connection.sendall(HEAD.format("/hang").encode())
        until(lambda: front.service.log.count(HANGS) == hanging + 2)
        answer = client.get("/healthz")
        assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
        assert answer.headers["retry-after"] == "1"
        one.close()
        assert until(lambda: client.get("/healthz").status_code == 200)


def test_an_upload_s_window_is_large_enough(front: Front) -> None:
    """Over HTTP/2, so that the round trip does not limit the speed of an upload."""
    with nginx_http2.Connection(front) as connection:
        assert connection.room(nginx_http2.headers_of(nginx_http2.Shape())) == 512 << 10


def test_the_two_files_fit_together() -> None:
    """nginx waits longer than the service, keeps connections shorter, takes no larger heads."""
    nginx = SHIPPED.read_text("utf-8")
    settings = tomllib.loads((ROOT / "settings.toml").read_text("utf-8"))
    functions = load_settings(ROOT / "settings.toml", {}).functions

    def told(directive: str) -> int:
        return int(re.findall(rf"(?m)^ +{directive} (\d+)", nginx)[0])

    assert told("client_body_timeout") > max(one.body_timeout_s for one in functions)
    assert told("proxy_read_timeout") > max(one.timeout_s for one in functions)
    [kept] = re.findall(r"upstream [^}]*\n +keepalive_timeout (\d+)s", nginx)
    assert int(kept) < settings["keep_alive_timeout"]
    assert 16 * told("keepalive") < settings["tls"]["max_connections"]  # with 16 workers
    assert told("limit_conn addresses") < settings["tls"]["max_connections"]
    count, kilobytes = re.findall(r"large_client_header_buffers (\d) (\d)k", nginx)[0]
    assert int(count) * int(kilobytes) < 16  # Hypercorn's h11_max_incomplete_size
