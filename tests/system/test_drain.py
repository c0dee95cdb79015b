"""A service that drains: red at once, and serving until the drain is over."""

import json
import signal
import subprocess
from collections.abc import Callable

from tests.server.servers import until
from tests.system.service import Service

LOCAL = """
[shutdown]
drain_s = 600
[limits]
storage = "{}"
"""


def test_two_workers_drain(
    start: Callable[..., Service], redis: tuple[str, subprocess.Popen[bytes]]
) -> None:
    """Both are red, alive and serving; a second SIGTERM to the supervisor ends them in order."""
    local = LOCAL.format(redis[0])
    with start(local=local, server={"workers": "2"}, entry=True) as service:
        until(lambda: sum('"worker_started"' in line for line in service.log) == 2)
        with service.client(key=None) as client:
            assert client.get("/readyz").status_code == 200
        service.process.send_signal(signal.SIGTERM)
        until(lambda: sum('"draining"' in line for line in service.log) == 2)
        for _ in range(2):  # whichever of the two accepts
            with service.client(key=None) as client:
                problem = client.get("/readyz")
                assert problem.status_code == 503
                assert "accepting" in json.dumps(problem.json())
                assert client.get("/healthz").status_code == 200
        assert service.process.poll() is None
        assert service.stop() == 0
