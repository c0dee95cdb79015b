"""Hosts in network namespaces: their cap, their link, their end, and the service on them."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from bench.cpu_share import WEIGHTS, groups
from bench.lab import Host, Lab
from bench.lab_names import NAMESPACES, PREFIX
from bench.lab_service import Site
from tests.system.service import ROOT

SPIN = [sys.executable, "-c", "while True: pass"]
CAP = 0.05
PORT = 7000
ECHO = f"""
import socket, sys
server = socket.create_server((sys.argv[1], {PORT}))
while True:
    server.accept()[0].close()
"""


def wait_for(state: Callable[[], bool]) -> None:
    """Wait until something is so."""
    due = time.monotonic() + 60
    while not state():
        assert time.monotonic() < due
        time.sleep(0.02)


def answers(host: Host) -> bool:
    """Return whether the caller can connect to a host."""
    try:
        socket.create_connection((host.address, PORT), timeout=0.3).close()
    except OSError:
        return False
    return True


def remains(name: str) -> list[str]:
    """Return what there is of a lab."""
    links = subprocess.run(["ip", "-br", "link"], capture_output=True, text=True, check=True)
    found = [line.split("@")[0].split()[0] for line in links.stdout.splitlines()]
    found += [each.name for each in [*NAMESPACES.glob(f"{PREFIX}-*"), *groups(PREFIX)]]
    return [each for each in found if each == name or each.startswith(f"{name}-")]


def test_a_cap_caps_and_a_kill_ends(lab: Lab) -> None:
    """A capped host gets its share; one without a cap gets more (the control)."""
    capped, free = lab.host("capped", cpu=CAP, first=True), lab.host("free", first=True)
    began = time.monotonic()
    spinners = [capped.popen(SPIN), free.popen(SPIN)]
    wait_for(lambda: free.cpu_s > 5 * CAP)
    assert capped.cpu_s < CAP * (time.monotonic() - began) * 1.5 + 0.02
    assert capped.pids == {spinners[0].pid}
    free.kill()
    assert spinners[1].poll() == -9
    assert spinners[0].poll() is None, "the other host runs on"


def test_a_host_is_as_nice_as_its_maker(lab: Lab) -> None:
    """It takes no more from other programs than its maker would; a bench's takes what it needs."""
    usual, first = lab.host("usual", cpu=CAP), lab.host("first", cpu=CAP, first=True)
    weights = []
    for host in (usual, first):
        files = [group / name for group in groups(host.namespace) for name in WEIGHTS]
        weights.append(next(int(file.read_text("ascii")) for file in files if file.exists()))
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    assert weights[1] == pytest.approx(weights[0] * 100 * 1.25**nice, rel=0.5)


def test_a_cut_host_is_silent_until_it_joins(lab: Lab) -> None:
    """The caller and the other hosts reach a host; not while it is cut, and then again."""
    near, far = lab.host("near"), lab.host("far")
    far.popen([sys.executable, "-c", ECHO, far.address])
    wait_for(lambda: answers(far))
    far.cut()
    assert not answers(far)
    far.join()
    wait_for(lambda: answers(far))
    program = f"import socket; socket.create_connection(('{far.address}', {PORT}), 5).close()"
    assert near.popen([sys.executable, "-c", program]).wait(20) == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
def test_nothing_is_left(tmp_path: Path) -> None:
    """All is removed after an exception, and by the next run after a kill; two runs don't meet."""
    lab = Lab(tmp_path)
    with suppress(KeyError), lab:
        spinner = lab.host("a", cpu=CAP).popen(SPIN)
        assert len(remains(lab.name)) >= 4  # the bridge, the link, the namespace, the cgroup
        raise KeyError
    assert (remains(lab.name), spinner.poll()) == ([], -9)
    program = (
        "import pathlib, sys; from bench.lab import Lab; lab = Lab(pathlib.Path()).__enter__();"
        "lab.host('a').popen(['sleep', '1000']); print(lab.name, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=-1, stdout=-1, text=True
    ) as killed:
        assert killed.stdout is not None
        name = killed.stdout.readline().strip()
        with Lab(tmp_path) as beside:
            assert beside.name != name
            assert remains(name) != [], "a lab that is in use is not removed"
        killed.kill()
    assert remains(name) != [], "the control: something is left of a killed run"
    with Lab(tmp_path):
        assert remains(name) == []


def test_a_service_counts_in_redis_over_tls(lab: Lab) -> None:
    """It responds on its host under the lab's CA, and redis on another one counts its requests."""
    site = Site(lab)
    with (
        site.redis(lab.host("r"), tls=True) as redis,
        site.service(lab.host("a"), redis=redis) as service,
        service.client() as client,
        redis.client() as counts,
    ):
        service.wait_until_ready()
        assert client.post("/ocr", files={"image": b"none"}).status_code == 415
        assert counts.keys() != []
        service.host.kill()
        assert service.process.wait(10) == -9


@pytest.mark.bench
@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
def test_a_bench_on_hosts_runs() -> None:
    """A folder is read by a node behind nginx, and what was measured is printed."""
    for program in ("ip", "nginx", "redis-server"):
        if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin") is None:
            pytest.skip(f"{program} is not installed")
    words = ["--nodes", "1", "--images", "1", "--pdfs", "0", "--kinds", "nginx"]
    done = subprocess.run(
        [sys.executable, ROOT / "bench" / "scale.py", *words],
        env={**os.environ, "PYTHONPATH": ""}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "| scripts/ocr, nginx before the services | 1 |" in done.stdout
