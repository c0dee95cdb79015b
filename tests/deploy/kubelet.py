"""What the kubelet does to a pod, by what its manifest says: probes, and the end.

Source: the Kubernetes documentation of probes and of the pod lifecycle (termination of pods).
"""

import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from typing import Any, Self

import httpx2

from tests.system.service import Service

Json = dict[str, Any]
FASTER = 5
"""The periods of probes pass so many times faster, so that a test need not wait for them."""


class Probe:
    """A probe of a manifest, as `httpGet`: the kubelet does not verify certificates."""

    def __init__(self, told: Json, service: Service) -> None:
        get = told["httpGet"]
        self._headers = {each["name"]: each["value"] for each in get.get("httpHeaders", ())}
        scheme = get.get("scheme", "HTTP").lower()
        self._url = f"{scheme}://127.0.0.1:{service.ports[scheme]}{get['path']}"
        self._timeout_s = told.get("timeoutSeconds", 1)
        self.period_s = told.get("periodSeconds", 10) / FASTER
        self.threshold = told.get("failureThreshold", 3)

    def passes(self) -> bool:
        """Probe once, on a connection of its own; a redirect passes, too."""
        try:
            with httpx2.Client(verify=False, timeout=self._timeout_s) as client:
                return bool(client.get(self._url, headers=self._headers).status_code < 400)
        except httpx2.TransportError:
            return False


class Kubelet:
    """Starts to probe a service when entered; `ready` is what the endpoints are made from."""

    def __init__(self, container: Json, grace_period_s: float, service: Service) -> None:
        self._probes = {
            name: Probe(container[f"{name}Probe"], service)
            for name in ("startup", "readiness", "liveness")
            if f"{name}Probe" in container
        }
        self._grace_period_s = grace_period_s
        self._process = service.process
        self.failures = dict.fromkeys(self._probes, 0)
        self.ready = threading.Event()
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._watch, args=(name,)) for name in ("readiness", "liveness")
        ]

    def __enter__(self) -> Self:
        startup = self._probes.get("startup")
        for _ in range(startup.threshold if startup else 0):
            if startup is None or startup.passes():
                break
            time.sleep(startup.period_s)
        else:
            assert startup is None, "the startup probe has failed too often: the pod is restarted"
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _watch(self, name: str) -> None:
        probe = self._probes[name]
        while not self._ended.is_set():
            if probe.passes():
                self.failures[name] = 0
                if name == "readiness":
                    self.ready.set()
            elif not self._ended.is_set():
                self.failures[name] += 1
                if name == "readiness" and self.failures[name] >= probe.threshold:
                    self.ready.clear()
            self._ended.wait(probe.period_s)

    def restarts(self) -> bool:
        """Whether the liveness probe has failed so often that the pod would be killed."""
        return bool(self.failures["liveness"] >= self._probes["liveness"].threshold)

    def terminate(self, hook: Mapping[str, Any]) -> int:
        """End the pod; return its exit status, which after SIGKILL is not 0."""
        assert not hook, "preStop is not replayed"
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(self._grace_period_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
