"""A service that may open too few files does not start; one that has none left says so."""

import resource
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench.processes import cpu_s
from tests.system.conftest import Draw
from tests.system.service import Service

Start = Callable[..., Service]
LAUNCHER = """
import os, resource, sys
soft, hard = map(int, sys.argv[1:3])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
os.execv(sys.argv[3], sys.argv[3:])
"""


def limited(soft: int, hard: int) -> tuple[str, ...]:
    """Return a launcher that lets a process open so many files."""
    return (sys.executable, "-c", LAUNCHER, str(soft), str(hard))


def test_a_hard_limit_that_is_too_low_refuses_the_start(start: Start) -> None:
    """With the setting, both numbers and what to do."""
    status, said = start(launcher=limited(200, 400)).refusal()
    assert status != 0
    for part in ("max_connections = 512", " 400: set it to at most ", "LimitNOFILE="):
        assert part in said
    assert "Traceback" not in said


def test_no_descriptor_left(start: Start, draw: Draw) -> None:
    """The soft limit is raised at the start. Without descriptors: 503, one line in the log."""
    image = {"image": ("page.png", draw("4711"))}
    with (
        start(launcher=limited(200, 4096)) as service,
        service.client() as client,
    ):
        pid = service.process.pid
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        assert 512 < soft < hard == 4096
        assert client.post("/ocr", files=image).status_code == 200
        highest = max(int(each.name) for each in Path(f"/proc/{pid}/fd").iterdir())
        # Those below the highest that are not open are given to connections, which wait.
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (highest + 1, hard))
        waiting = [socket.create_connection(("127.0.0.1", service.ports["https"]))]
        while not any("descriptors_exhausted" in line for line in service.log):
            waiting.append(socket.create_connection(("127.0.0.1", service.ports["https"])))
            time.sleep(0.01)
        used_s, began = cpu_s({pid}), time.monotonic()
        refused = client.post("/ocr", files=image)
        while time.monotonic() - began < 1.5:
            time.sleep(0.1)
        share = (cpu_s({pid}) - used_s) / (time.monotonic() - began)
        assert share < 0.45, "it tries without a pause"
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
        for each in waiting:
            each.close()
        assert (refused.status_code, refused.json()["code"]) == (503, "busy")
        assert "retry-after" in refused.headers
        with service.client() as another:
            assert another.post("/ocr", files=image).status_code == 200
        assert sum("descriptors_exhausted" in line for line in service.log) == 1
        assert not any("Traceback" in line for line in service.log)
