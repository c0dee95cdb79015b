"""Uploads and answers through nginx: they are kept nowhere, and wait for nothing."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.deploy.nginx import Behind, Front, Nginx
from tests.deploy.nginx_functions import FIRST_BYTES, LARGE_ANSWER_BYTES
from tests.model.decoding.pdfs import pdf
from tests.system.service import PATIENCE_S
from tests.system.traces import leavings, tracer

LARGE = b"x" * 4_900_000
TOO_LARGE = b"x" * 9_900_000
BUFFERING = {
    "proxy_request_buffering off": "proxy_request_buffering on",
    "proxy_buffering off": "proxy_buffering on",
    "proxy_max_temp_file_size 0": "proxy_max_temp_file_size 100m",
}
PNG = {"content-type": "image/png"}


@pytest.mark.parametrize("kept", [False, True])
def test_nginx_writes_no_body_or_response_to_disk(
    tmp_path: Path, front: Front, *, kept: bool
) -> None:
    """Of all system calls that leave something; the control lets nginx buffer."""
    record = tmp_path / "record"
    record.mkdir()
    nginx = Nginx(
        tmp_path / "nginx",
        front.service.socket,
        front.nginx.authority,
        changes=BUFFERING if kept else {},
        launcher=tracer(record),
    )
    with nginx, nginx.client(front.service.token, http2=False) as client:
        assert client.post("/count", content=LARGE).text == str(len(LARGE))
        with client.stream("GET", "/large") as answer:
            time.sleep(0.5)  # a reader who is slow, so that buffers are full
            assert len(answer.read()) == LARGE_ANSWER_BYTES
    left = leavings(record)
    files = [call for call in left if f"{nginx.folder}/temp/" in call and "O_CREAT" in call]
    for folder in ("client_body", "proxy"):
        assert any(f"/temp/{folder}/" in call for call in files) == kept
    expected = (f"{nginx.folder}/error.log", f"{nginx.folder}/nginx.pid", "start.log")
    surprises = [
        call for call in left if not (_is_no_file(call) or any(name in call for name in expected))
    ]
    assert kept or surprises == []


@pytest.mark.parametrize("buffered", [False, True])
def test_an_upload_is_not_buffered_by_nginx(
    tmp_path: Path, front: Front, *, buffered: bool
) -> None:
    """The service has the first bytes before the last are sent; the control waits for all."""
    changes = {"proxy_request_buffering off": "proxy_request_buffering on"} if buffered else {}
    authority = front.nginx.authority
    head = (
        f"POST /count HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {front.service.token}\r\n"
        "Content-Length: 100000\r\nConnection: close\r\n\r\n"
    )
    with (
        Nginx(tmp_path / "nginx", front.service.socket, authority, changes=changes) as nginx,
        socket.create_connection(("127.0.0.1", nginx.port), PATIENCE_S) as bare,
        authority.trust().wrap_socket(bare, server_hostname="localhost") as connection,
    ):
        before = front.service.log.count(FIRST_BYTES)
        connection.sendall(head.encode() + b"x" * 50_000)
        due = time.monotonic() + (1 if buffered else PATIENCE_S)
        while front.service.log.count(FIRST_BYTES) == before and time.monotonic() < due:
            time.sleep(0.01)
        assert front.service.log.count(FIRST_BYTES) == before + (not buffered)
        connection.sendall(b"x" * 50_000)
        answer = connection.makefile("rb").read()
    assert answer.endswith(b"100000")


def test_pages_are_streamed_as_they_are_read(front: Front) -> None:
    """The first line comes before the last page is read: before the answer is logged."""
    headers = {"content-type": "application/pdf", "accept": "application/x-ndjson"}
    document = pdf(*["A PAGE"] * 6, box="[0 0 400 80]")
    with front.client() as client:
        client.get("/readyz")
        with client.stream("POST", "/ocr", content=document, headers=headers) as answer:
            lines = answer.iter_lines()
            first = json.loads(next(lines))
            assert not any(first["request_id"] in entry for entry in front.service.log)
            rest = [json.loads(line) for line in lines]
    assert [page["page"] for page in (first, *rest)] == [1, 2, 3, 4, 5, 6]


EARLY = [("wrong", LARGE, 401), ("right", TOO_LARGE, 413)]


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory, front: Front) -> Iterator[Front]:
    """A service that waits longer for what is still to come: the machine may be busy."""
    folder = tmp_path_factory.mktemp("patient")
    (folder / "service").mkdir()
    with (
        Behind(folder / "service", local="[tls]\nclose_linger_s = 20\n") as service,
        Nginx(folder / "nginx", service.socket, front.nginx.authority) as nginx,
    ):
        yield Front(service, nginx)


@pytest.mark.parametrize("http2", [True, False])
@pytest.mark.parametrize("case", EARLY)
def test_an_early_response_reaches_a_client_that_sends_first(
    patient: Front, case: tuple[str, bytes, int], *, http2: bool
) -> None:
    """httpx2 reads only when it has sent all; the connection goes on over HTTP/2."""
    key, body, status = case
    token = patient.service.token if key == "right" else "wrong"
    with patient.nginx.client(token, http2=http2) as client:
        answer = client.post("/ocr", content=body, headers=PNG)
        assert (answer.status_code, answer.json()["status"]) == (status, status)
        assert client.get("/healthz").status_code == 200


def test_without_the_drain_such_a_client_would_hang(tmp_path: Path, front: Front) -> None:
    """The control: without middleware/body_drain.py nginx stops reading, and httpx2 does not."""
    (tmp_path / "service").mkdir()
    hasty = Behind(tmp_path / "service", local="[tls]\nclose_linger_s = 0.001\n")
    with hasty, Nginx(tmp_path / "nginx", hasty.socket, front.nginx.authority) as nginx:
        client = nginx.client("wrong")
        client.timeout = httpx2.Timeout(2)
        with client, pytest.raises(httpx2.ReadTimeout):
            client.post("/ocr", content=TOO_LARGE, headers=PNG)


@pytest.mark.parametrize("version", ["--http2", "--http1.1"])
@pytest.mark.parametrize("framing", ["X-Length: told", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("case", EARLY)
def test_an_early_response_reaches_a_client_that_reads_while_sending(
    front: Front, version: str, framing: str, case: tuple[str, bytes, int]
) -> None:
    """curl stops sending when it is answered."""
    key, body, status = case
    if version == "--http2" and framing.startswith("Transfer"):
        framing = "Content-Length:"  # HTTP/2 then tells no length
    token = front.service.token if key == "right" else "wrong"
    done = subprocess.run(
        (
            *("curl", "-sS", version, "--cacert", front.nginx.authority.folder / "ca.pem"),
            *("-H", f"X-API-Key: {token}", "-H", framing, "-H", "Content-Type: image/png"),
            *("--data-binary", "@-"),
            *("-o", "/dev/null", "-w", "%{http_code}", f"{front.nginx.url}/ocr"),
        ),
        input=body,
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, str(status).encode()), done.stderr


def test_with_expect_a_refused_client_does_not_send_its_body(front: Front) -> None:
    """Expect: 100-continue is answered by nginx, and what follows is refused all the same."""
    with front.client(http2=False) as client:
        answer = client.post("/ocr", content=TOO_LARGE, headers={**PNG, "expect": "100-continue"})
    assert answer.status_code == 413


def _is_no_file(call: str) -> bool:
    """Whether a call is about a process or a folder, and not about what a file has in it."""
    return call.startswith(("unlink", "chown", "setuid", "socketpair", "connect", "mkdir"))
