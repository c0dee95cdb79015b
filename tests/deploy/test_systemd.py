"""The unit's life, replayed: start, reading, reload, and a restart that nobody notices."""

import json
import socket
import ssl
import threading
import time
from pathlib import Path

import pytest

from tests.deploy.replay import USER, Systemd, missing
from tests.deploy.units import ROOT
from tests.model.decoding.pdfs import chinese_pdf
from tests.model.processes import children_of

RECEIPT = (ROOT / "examples" / "receipt.png").read_bytes()
TEXT = "海风咖啡馆今日营业"
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class Callers:
    """Callers that connect one after the other, each for one answer, until they are stopped."""

    def __init__(self, systemd: Systemd, count: int = 3) -> None:
        self.answered = 0
        self.failed: list[str] = []
        self._trust = ssl.create_default_context(cafile=systemd.authority)
        self._port = systemd.port
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._call) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def _call(self) -> None:
        while not self._ended.is_set():
            try:
                plain = socket.create_connection(("localhost", self._port), timeout=60)
                with plain, self._trust.wrap_socket(plain, server_hostname="localhost") as sealed:
                    sealed.sendall(REQUEST)
                    status = sealed.recv(65536).partition(b"\r\n")[0]
            except OSError as error:
                self.failed.append(repr(error))
            else:
                if status == b"HTTP/1.1 200 ":
                    self.answered += 1
                else:
                    self.failed.append(repr(status))

    def stop(self) -> None:
        """Let each have its last answer."""
        self._ended.set()
        for thread in self._threads:
            thread.join()


def test_it_serves_under_the_unit(systemd: Systemd) -> None:
    """An image and a PDF are read, in the machine's font; engine and decoders keep their locks."""
    with systemd.client() as client:
        image = client.post("/ocr", files={"image": ("receipt.png", RECEIPT)})
        document = client.post("/ocr", files={"file": ("page.pdf", chinese_pdf(TEXT))})
        ready = client.get("/readyz").json()
    assert "HARBOUR CAFE" in image.json()["text"]
    assert document.json()["text"] == TEXT
    assert ready["status"] == "ready"
    assert "warnings" not in ready
    assert systemd.process is not None
    main = _status(systemd.process.pid)
    assert main["Uid"].split() == [str(USER)] * 4
    assert {main[name].strip("0") for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {""}
    assert main["NoNewPrivs"] == "1"
    children = [_status(pid) for pid in children_of(systemd.process.pid)]
    assert len(children) > 1
    assert all(int(c["Seccomp_filters"]) > int(main["Seccomp_filters"]) for c in children)


def test_the_second_socket_redirects_to_https(systemd: Systemd) -> None:
    """Clients of the second socket, which is plain HTTP, are redirected."""
    port = systemd.sockets[1].getsockname()[1]
    with socket.create_connection(("127.0.0.1", port), timeout=60) as plain:
        plain.sendall(REQUEST.replace(b"/healthz", b"/"))
        assert b" 308 " in plain.recv(4096).partition(b"\r\n")[0]


def test_connections_during_a_restart_are_answered(systemd: Systemd) -> None:
    """A connection made between stop and start waits in the queue, and gets its answer."""
    assert systemd.stop() == 0
    with socket.create_connection(("localhost", systemd.port), timeout=60) as plain:
        systemd.start()
        trust = ssl.create_default_context(cafile=systemd.authority)
        with trust.wrap_socket(plain, server_hostname="localhost") as sealed:
            sealed.sendall(REQUEST)
            assert sealed.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_no_connection_is_lost_in_a_restart(systemd: Systemd) -> None:
    """Callers that connect all the time are neither refused nor dropped during restarts."""
    callers = Callers(systemd)
    try:
        for _ in range(4):
            time.sleep(0.3)
            assert systemd.stop() == 0
            time.sleep(0.1)
            systemd.start()
    finally:
        callers.stop()
    assert callers.failed == []
    assert callers.answered > 10


def test_without_the_socket_unit_connections_are_refused(tmp_path: Path) -> None:
    """Negative control: without the .socket unit connections are refused."""
    if missing():
        pytest.skip(missing())
    systemd = Systemd(tmp_path, sockets=_own_sockets())
    for listener in systemd.sockets:
        listener.close()
    systemd.sockets = []
    with systemd:
        port = int(systemd.wait_for("Running on https").rpartition(":")[2].split()[0])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("localhost", port), timeout=60)


def test_a_request_in_progress_is_finished(systemd: Systemd) -> None:
    """SIGTERM lets a reading end; its caller gets the text."""
    answers: list[str] = []

    def read() -> None:
        with systemd.client() as client:
            answer = client.post("/ocr", files={"image": ("receipt.png", RECEIPT)})
            answers.append(answer.json()["text"])

    reader = threading.Thread(target=read)
    reader.start()
    assert systemd.process is not None
    while len(children_of(systemd.process.pid)) < 2:
        time.sleep(0.01)
    assert systemd.stop() == 0
    reader.join()
    assert "HARBOUR CAFE" in answers[0]


def test_a_reload_applies_the_settings(systemd: Systemd) -> None:
    """ExecReload leaves the process running, which logs that it has read its settings again."""
    systemd.configure("[hsts]\nmax_age_s = 12345\n")
    systemd.reload()
    assert json.loads(systemd.wait_for('"reloaded"'))["event"] == "reloaded"
    with systemd.client() as client:
        assert client.get("/healthz").headers["strict-transport-security"] == "max-age=12345"
    assert systemd.stop() == 0


def _own_sockets() -> dict[str, str]:
    return {"bind": '["127.0.0.1:0"]', "insecure_bind": "[]"}


def _status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
