"""The pods of the manifests as a cluster has them, from the first probe to the last signal."""

import json
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from tests.authorities import Authority
from tests.deploy.kubelet import FASTER, Kubelet
from tests.deploy.test_manifests import DEPLOY, OVERLAYS, container, pod, settings_of
from tests.system.conftest import Draw
from tests.system.service import Service, key_stanza

NOTICED_S = 5 / FASTER  # how long proxies go on sending to a pod that has left the endpoints
AMPLE = 'limits = { "*" = "100000/minute", "/ocr" = "100000/minute" }'
KEY, STANZA = key_stanza("aaaa1111", "someone", AMPLE)
ONE_ENGINE = {"OCR_ENGINE__PROCESSES": "1", "OCR_ENGINE__THREADS": "1"}
HTTPS = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}
Redis = tuple[str, subprocess.Popen[bytes]]


def launched(name: str, folder: Path, storage: str, **variables: str) -> Service:
    """Start the service as the pod of a manifest: its settings, variables and Secrets."""
    secrets = folder / "secrets"
    secrets.mkdir()
    (secrets / "limits__storage").write_text(storage, "utf-8")
    files = {"certfile": None, "keyfile": None} if name == "knative" else _certificate(folder)
    told = {each["name"]: each["value"] for each in container(name)["env"]}
    del told["OCR_SETTINGS"]
    knative = DEPLOY / "knative" / "settings.toml"
    return Service(
        folder,
        shipped=knative if name == "knative" else DEPLOY / "kubernetes" / "base" / "settings.toml",
        local=STANZA,
        server={**files, "insecure_bind": "[]"},
        environment={**told, **ONE_ENGINE, "OCR_SECRETS_DIR": str(secrets), **variables},
        entry=True,
    )


def _certificate(folder: Path) -> dict[str, str | None]:
    """Issue what the Secret sealed-ocr-tls has."""
    issued = Authority("CA").issue("sealed-ocr", names=["ocr.example.org", "sealed-ocr"])
    certfile, keyfile = issued.write(folder / "pod", "sealed-ocr")
    return {"certfile": f'"{certfile}"', "keyfile": f'"{keyfile}"'}


class Load:
    """Clients that send pages to a pod until proxies have noticed that it ends."""

    def __init__(self, service: Service, page: bytes) -> None:
        self.url = f"https://127.0.0.1:{service.ports['https']}/ocr"
        self.page, self.served, self.failures = page, 0, list[str]()
        self._ends_at = float("inf")
        self._threads = [
            threading.Thread(target=self._send, args=(how,)) for how in ("kept", "new")
        ]
        for thread in self._threads:
            thread.start()

    def _client(self) -> httpx2.Client:
        headers = {"X-API-Key": KEY, **HTTPS}
        return httpx2.Client(http2=True, verify=False, headers=headers, timeout=60)

    def _send(self, how: str) -> None:
        """Send over a connection that is kept, or over a new one for each request."""
        client = self._client()
        while time.monotonic() < self._ends_at:
            if how == "new":
                client.close()
                client = self._client()
            try:
                response = client.post(self.url, files={"image": self.page})
                if response.status_code != httpx2.codes.OK:
                    self.failures.append(f"{how}: {response.text}")
            except httpx2.TransportError as error:
                self.failures.append(f"{how}: {error!r}")
                time.sleep(0.05)
            self.served += 1
        client.close()

    def removed(self) -> None:
        """Go on for a while: the pod has left the endpoints just now."""
        self._ends_at = time.monotonic() + NOTICED_S

    def join(self) -> None:
        """Wait for the last responses."""
        for thread in self._threads:
            thread.join()


@pytest.mark.parametrize(("name", "drains"), [("reencrypt", True), ("passthrough", False)])
def test_a_pod_ends_under_load(
    name: str, tmp_path: Path, redis: Redis, draw: Draw, *, drains: bool
) -> None:
    """No request fails, and it exits with 0. Control: without the drain requests fail."""
    assert settings_of(name, tmp_path).shutdown.drain_s > NOTICED_S * FASTER
    drain_s = settings_of(name, tmp_path).shutdown.drain_s / FASTER if drains else 0
    grace_s = pod(name)["terminationGracePeriodSeconds"]
    folder = tmp_path / "pod"
    folder.mkdir()
    with (
        launched(name, folder, redis[0], OCR_SHUTDOWN__DRAIN_S=str(drain_s)) as service,
        Kubelet(container(name), grace_s, service) as kubelet,
    ):
        assert kubelet.ready.wait(60)
        load = Load(service, draw("LINE"))
        try:
            _until(lambda: load.served > 3)
            assert kubelet.ready.is_set()
        finally:
            load.removed()  # the endpoints and the signal at the same moment
        assert kubelet.terminate(container(name).get("lifecycle", {})) == 0
        load.join()
        assert bool(load.failures) != drains, load.failures
        assert drains == any('"draining"' in line for line in service.log)
        if drains:
            assert not kubelet.ready.is_set()  # it was red while it served
            assert not kubelet.restarts()


def test_a_knative_pod(tmp_path: Path, redis: Redis, draw: Draw) -> None:
    """queue-proxy's requests are served; others are not; probes tell, and SIGTERM ends it."""
    assert "knative" not in OVERLAYS
    with launched("knative", tmp_path, redis[0]) as service:
        url = f"http://127.0.0.1:{service.ports['http']}"
        with closing(httpx2.Client(base_url=url, timeout=60)) as client:
            probe = container("knative")["readinessProbe"]["httpGet"]
            headers = {each["name"]: each["value"] for each in probe["httpHeaders"]}
            _until(lambda: client.get(probe["path"], headers=headers).status_code == 200)
            # What the headers are for: without them it redirects, and would count as ready.
            assert client.get(probe["path"]).status_code == 308
            page = {"image": draw("LINE")}
            assert client.post("/ocr", headers=HTTPS, files=page).status_code == 401
            key = {"X-API-Key": KEY}
            assert client.post("/ocr", headers={**HTTPS, **key}, files=page).status_code == 200
            # A gateway without HTTPS: the key has crossed the network unencrypted.
            plain = {**HTTPS, **key, "X-Forwarded-Proto": "http"}
            assert (
                client.post("/ocr", headers=plain, files=page).json()["code"]
                == "plain_http_refused"
            )
            # Another machine's address cannot be claimed to be loopback, nor loopback to be exempt.
            forged = {**HTTPS, "X-Forwarded-For": "127.0.0.1"}
            assert client.post("/ocr", headers=forged, files=page).status_code == 401
        read = json.loads(service.logged('"key_id": "aaaa1111"'))
        assert read["address"] == HTTPS["X-Forwarded-For"]
        assert service.stop() == 0


def _until(happened: Callable[[], bool]) -> None:
    due = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < due
        time.sleep(0.02)
