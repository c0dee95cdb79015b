"""Three nodes with TLS between them, one of which ends, as the scheduler does, and a bad page.

Every page is there once, and is what the service reads.
"""

import hashlib
import json
import os
import socket
import ssl
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw, ImageFont

from bench.lab import Lab
from sealed_ocr_client.__main__ import main
from tests.cluster.nodes import POISON, PORT, WORKER_PORT, Nodes, wait_for
from tests.system.service import Service
from tls.cluster import make_cluster_ca, make_cluster_certificate

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.timeout(300),  # each test may be the one that starts the nodes
]
IMAGES, PAGES = 14, 5
WORD = "zebra"  # in the names of files, and in their text


def _page(text: str) -> Image.Image:
    page = Image.new("RGB", (320, 96), "white")
    ImageDraw.Draw(page).text((12, 24), text, "black", ImageFont.load_default(36))
    return page


def _fill(folder: Path) -> None:
    """Make images, two documents, a file that cannot be read, and a page that ends its worker."""
    (folder / "below").mkdir(parents=True)
    for number in range(IMAGES):
        _page(f"{WORD} {number}").save(folder / "below" / f"{WORD}{number:02}.png")
    for name, pages in (("book.pdf", PAGES), ("z-poison.pdf", 3)):
        first, *others = [_page(f"{name[0]} page {number}") for number in range(1, pages + 1)]
        first.save(folder / name, save_all=True, append_images=others)
    with (folder / "z-poison.pdf").open("ab") as file:
        file.write(b"\n%" + POISON)
    (folder / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n")


def _without_times(file: Path) -> Any:
    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            left_out = {"timing_ms", "request_id", "request_ids"}
            return {name: plain(each) for name, each in value.items() if name not in left_out}
        return [plain(each) for each in value] if isinstance(value, list) else value

    return plain(json.loads(file.read_bytes()))


def _results(folder: Path) -> dict[str, Any]:
    files = {str(file.relative_to(folder)): file for file in sorted(folder.rglob("*.json"))}
    return {name: _without_times(file) for name, file in files.items() if "/." not in f"/{name}"}


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that is read."""
    folder = tmp_path_factory.mktemp("cluster") / "scans"
    _fill(folder)
    return folder


@pytest.fixture(scope="module")
def expected(scans: Path) -> dict[str, Any]:
    """What scripts/ocr writes with the service."""
    out = scans.parent / "expected"
    local = '[limits]\nper_key = "999/minute"\n[engine]\nprocesses = 1\nthreads = 1\n'
    local += '[[functions]]\npath = "/ocr"\nlimits = ["999/minute"]\n'
    folder = scans.parent / "service"
    folder.mkdir()
    with Service(folder, local=local) as service:
        key = folder / ".dev" / "key"
        options = ["--url", service.url, "--ca", str(service.authority), "--key-file", str(key)]
        files = [str(scans), "--out", str(out), "--format", "json", "--quiet"]
        assert main([*files, *options]) == 1  # cut.png
    return _results(out)


@pytest.fixture(scope="module")
def nodes(scans: Path) -> Iterator[Nodes]:
    """The cluster, started."""
    with Lab(scans.parent) as lab:
        made = Nodes(lab, scans.parent)
        made.scheduler()
        for host in made.hosts:
            made.worker(host)
        wait_for(lambda: made.log.count(": connected to ") == len(made.hosts))
        yield made
        made.close()


def _speaks(nodes: Nodes, ca: Path, certificate: Path | None) -> bool:
    """Return whether the scheduler says anything to a client."""
    trust = ssl.create_default_context(cafile=ca)
    trust.check_hostname = False
    if certificate is not None:
        trust.load_cert_chain(certificate, certificate.with_suffix(".key"))
    plain = socket.create_connection((nodes.hosts[0].address, PORT), timeout=60)
    try:
        with plain, trust.wrap_socket(plain) as sealed:
            return bool(sealed.recv(1))
    except (ssl.SSLError, ConnectionResetError):
        return False


def test_who_is_let_in(nodes: Nodes, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A certificate of the cluster's CA, and nothing else; each side says why it refuses."""
    other = tmp_path / "other"
    make_cluster_ca(other)
    stranger = make_cluster_certificate(other, "stranger", node=False).certificate
    ca = nodes.tls / "ca.pem"
    assert _speaks(nodes, ca, nodes.tls / "client.pem")
    assert not _speaks(nodes, ca, None)
    assert not _speaks(nodes, ca, stranger)
    assert not _speaks(nodes, other / "ca.pem", nodes.tls / "client.pem")
    with socket.create_connection((nodes.hosts[0].address, PORT), timeout=60) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with suppress(ConnectionResetError):
            assert not plain.recv(1)
    page, out = tmp_path / "a.png", str(tmp_path)
    _page("a").save(page)
    options = [str(page), "--out", out, "--cluster", nodes.address]
    for files, said in (
        ((ca, stranger), "The scheduler tls://"),
        ((other / "ca.pem", stranger), "is not of the CA in"),
    ):
        pair = ["--certificate", str(files[1]), "--certificate-key", str(other / "stranger.key")]
        assert main([*options, "--ca", str(files[0]), *pair]) == 2
        assert said in capfd.readouterr().err


def _check_ports(nodes: Nodes) -> None:
    """Check that each process listens on one port, of the address given to it."""
    for host in nodes.hosts:
        command = [*host.launcher, "ss", "-Hltn"]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        listening = {line.split()[3] for line in lines.splitlines()}
        scheduler = {f"{host.address}:{PORT}"} if host is nodes.hosts[0] else set()
        assert listening == {f"{host.address}:{WORKER_PORT}", *scheduler}


def test_every_page_is_there_once(
    nodes: Nodes, expected: dict[str, Any], scans: Path, tmp_path: Path
) -> None:
    """A node is killed, then the scheduler; one page ends three workers and is set aside."""
    _check_ports(nodes)
    out = tmp_path / "out"
    arguments = (scans, "--out", out, "--format", "json")
    client = nodes.client(*arguments)
    wait_for(lambda: len(_results(out)) > 1)
    nodes.hosts[1].kill()
    wait_for(lambda: len(_results(out)) > 5)
    _kill_scheduler(nodes)
    nodes.scheduler()
    _, said = client.communicate(timeout=240)
    assert client.returncode == 1, said
    poison = "z-poison.pdf.json"
    others = {name: pages for name, pages in expected.items() if name != poison}
    assert _results(out) == others
    assert len(others) == IMAGES + 1
    text = said.decode()
    assert "is lost: waiting" in text
    assert "cut.png: Image or document cannot be decoded" in text
    assert "page 2 ended the worker that was reading it, 3 times" in text
    assert (out / f"{poison.removesuffix('.json')}.json.set-aside").read_text().count("page 2") == 1
    assert _begun(nodes, scans / "z-poison.pdf", 2) == {"False": 1, "True": 2}
    _resumes(nodes, scans, out, expected[poison])
    assert WORD not in nodes.log
    left = [f for f in Path("/dev", "shm").glob("sealed-ocr-cluster-*/**/*") if f.is_file()]
    assert all(file.stat().st_size < 99 for file in left)  # locks


def _resumes(nodes: Nodes, scans: Path, out: Path, expected: Any) -> None:
    """The same command reads nothing; the pages that are kept are put together without reading."""
    before = nodes.begun.read_text()
    arguments = ("--out", out, "--format", "json", "--quiet")
    client = nodes.client(scans / "z-poison.pdf", *arguments, "--pages", "1,3", "--again")
    _, said = client.communicate(timeout=240)
    assert client.returncode == 0, said
    assert nodes.begun.read_text() == before
    pages = _without_times(out / "z-poison.pdf.json")["pages"]
    assert pages == [expected["pages"][0], expected["pages"][2]]
    assert not [*out.rglob(".*")]


def _begun(nodes: Nodes, file: Path, page: int) -> Counter[str]:
    """Return how often workers began to read a page: in company, and alone."""
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    lines = [line.split() for line in nodes.begun.read_text().splitlines()]
    return Counter(
        alone for sha256, number, alone in lines if (sha256, number) == (digest, str(page))
    )


def _kill_scheduler(nodes: Nodes) -> None:
    host = nodes.hosts[0]
    for pid in host.pids:
        if b"scheduler" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, 9)
