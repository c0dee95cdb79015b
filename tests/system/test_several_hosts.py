"""Three hosts and one redis behind nginx: exact limits, a host killed, all of them restarted."""

import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest

from bench.lab import Host, Lab
from bench.lab_service import AMPLE, LIMITS, LabService, Redis, Site
from tests.deploy.nginx import SHIPPED, Nginx
from tests.deploy.nginx_certificates import Authority
from tests.system.conftest import Draw
from tests.system.service import ROOT, key_stanza

HOSTS = "abc"
CLIENTS, PAUSE_S = 3, 0.3
LIMIT = 20
LOCAL = """{limits}
[proxy]
trusted = ["{nginx}/32"]
[shutdown]
drain_s = 0.5
[engine]
processes = 1
threads = 1
{keys}"""
BACKEND = Path("/run/no.sock")
NGINX = SHIPPED.read_text("utf-8")
AMPLE_KEY, AMPLE_STANZA = key_stanza("aaaa1111", "busy", AMPLE)
FEW = f'limits = {{ "*" = "1000/minute", "/ocr" = "{LIMIT}/minute" }}'
FEW_KEY, FEW_STANZA = key_stanza("bbbb2222", "few", FEW)


class Cluster:
    """The hosts, their services, and nginx in front of them."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        keys = AMPLE_STANZA + FEW_STANZA
        local = LOCAL.format(limits=LIMITS, nginx=lab.address, keys=keys)
        self.site = Site(lab, local=local)
        self.hosts = {name: lab.host(f"h{name}", cpu=1.0) for name in HOSTS}
        self.redis = Redis(self.site, lab.host("redis"), tls=False)
        self.services: dict[str, LabService] = {}
        self.authority = Authority(folder / "nginx-tls")
        self.nginx = Nginx(folder / "nginx", BACKEND, self.authority, changes=self._changes())

    def _changes(self) -> dict[str, str]:
        """Return what makes of deploy/nginx.conf what deploy/nginx-hosts.conf says."""
        text = (ROOT / "deploy" / "nginx-hosts.conf").read_text("utf-8")
        for number, host in enumerate(self.hosts.values(), 1):
            text = text.replace(f"ocr{number}.example.org:", f"{host.address}:")
        assert "example.org:" not in text
        text = text.replace("/etc/nginx/tls/hosts-ca.pem", str(self.site.ca))
        text = text.replace("proxy_ssl_name ocr.example.org", "proxy_ssl_name localhost")
        [block] = re.findall(r"(?ms)^    upstream sealed_ocr \{.*?^    \}$", NGINX)
        block = block.replace("/run/sealed-ocr/ocr.sock", str(BACKEND))
        return {block: text, "proxy_pass http://": "proxy_pass https://"}

    def start(self, name: str) -> LabService:
        """Start the service of a host."""
        host = self.hosts[name]
        self.services[name] = self.site.service(host, redis=self.redis)
        return self.services[name]

    def ready(self, name: str) -> None:
        """Wait until it is."""
        self.services[name].__enter__()
        self.services[name].wait_until_ready()

    def client(self, key: str) -> httpx2.Client:
        """Return a client of nginx that speaks HTTP/2."""
        return httpx2.Client(
            http2=True,
            verify=self.authority.trust(),
            base_url=self.nginx.url,
            headers={"X-API-Key": key},
            timeout=60,
        )

    def served(self) -> Counter[str]:
        """Count the requests of the one key that each host has answered."""
        return Counter(
            {
                name: sum('"key_id": "bbbb2222"' in line for line in service.log)
                for name, service in self.services.items()
            }
        )


@pytest.fixture
def cluster(lab: Lab, tmp_path: Path) -> Iterator[Cluster]:
    """Three hosts that are ready, behind nginx."""
    found = Cluster(lab, tmp_path)
    with found.redis, ExitStack() as ends:
        for name in HOSTS:
            found.start(name)
        ends.callback(lambda: [service.stop() for service in found.services.values()])
        for name in HOSTS:
            found.ready(name)
        with found.nginx:
            yield found


class Load:
    """Clients that read a page again and again; when each request that failed began."""

    def __init__(self, cluster: Cluster, page: bytes) -> None:
        self.failed: list[tuple[float, str]] = []
        self.served = 0
        self._ends = threading.Event()
        self._cluster, self._page = cluster, page
        self._threads = [threading.Thread(target=self._send) for _ in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def _send(self) -> None:
        with self._cluster.client(AMPLE_KEY) as client:
            while not self._ends.is_set():
                began = time.monotonic()
                try:
                    response = client.post("/ocr", files={"image": self._page})
                    said = "" if response.is_success else response.text
                except httpx2.TransportError as error:
                    said = repr(error)
                if said:
                    self.failed.append((began, said))
                self.served += 1
                self._ends.wait(PAUSE_S)

    def go_on(self, requests: int = 4) -> None:
        """Wait for more requests."""
        wanted = self.served + requests
        until(lambda: self.served >= wanted)

    def end(self) -> None:
        """End them."""
        self._ends.set()
        for thread in self._threads:
            thread.join()


def until(happened: Callable[[], bool]) -> None:
    """Wait until something has happened."""
    due = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < due
        time.sleep(0.02)


def limits_are_exact(cluster: Cluster) -> None:
    """A key has its limit over all hosts together: so many requests are counted in, no more."""

    def send(_: int) -> int:
        with cluster.client(FEW_KEY) as client:
            return int(client.post("/ocr", content=b"no image").status_code)

    with ThreadPoolExecutor(6) as pool:
        statuses = Counter(pool.map(send, range(LIMIT + 10)))
    assert statuses[429] == 10, statuses
    assert statuses.total() - statuses[429] == LIMIT
    until(lambda: cluster.served().total() == LIMIT + 10)
    assert min(cluster.served().values()) > 0


def command(cluster: Cluster, folder: Path) -> "subprocess.Popen[bytes]":
    """Start the client on all pages of a folder, through nginx."""
    return subprocess.Popen(
        [sys.executable, "-m", "sealed_ocr_client", folder, "-j", "2", "-q", "-o", folder / "out",
         "--url", cluster.nginx.url, "--ca", cluster.authority.folder / "ca.pem"],
        env={"PYTHONPATH": str(ROOT / "client"), "SEALED_OCR_KEY": AMPLE_KEY, "PATH": "/usr/bin"},
        stderr=subprocess.PIPE,
    )  # fmt: skip


def host_is_killed(host: Host, load: Load) -> None:
    """Only what was in progress there fails: what begins afterwards is sent to another host."""
    load.go_on()
    assert load.failed == []
    host.kill()
    killed = time.monotonic()
    load.go_on(4 * CLIENTS)
    assert len(load.failed) <= CLIENTS
    assert all(began < killed for began, _ in load.failed), load.failed


@pytest.mark.timeout(300)  # six starts of the service, on a machine that may be busy
def test_three_hosts_behind_nginx(cluster: Cluster, tmp_path: Path, draw: Draw) -> None:
    """Limits hold over all; a killed host costs what it was doing, a rolling restart nothing."""
    limits_are_exact(cluster)
    pages = tmp_path / "pages"
    pages.mkdir()
    for number in range(10):
        (pages / f"{number}.png").write_bytes(draw(f"PAGE {number}"))
    load = Load(cluster, draw("LINE"))
    try:
        with command(cluster, pages) as reading:
            until(lambda: len(list(pages.glob("out/*"))) > 2)
            host_is_killed(cluster.hosts["c"], load)
            _, said = reading.communicate(timeout=60)
        assert reading.returncode == 0, said
        assert len(list(pages.glob("out/*"))) == 10
        cluster.services["c"].stop()  # it has ended
        cluster.start("c")
        cluster.ready("c")
        before = list(load.failed)
        for name in HOSTS:
            assert cluster.services[name].stop() == 0  # while the load goes on
            if name != HOSTS[-1]:  # the last one need not come back: nothing follows
                cluster.start(name)
                cluster.ready(name)
        load.go_on()
        assert load.failed == before
    finally:
        load.end()
