"""Limits counted in a real redis: shared by workers, and survived when it fails."""

import os
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from tests.system.service import Service, key_stanza

KEY, STANZA = key_stanza("aaaa1111", "someone")
SCRAPER, SCRAPER_STANZA = key_stanza("bbbb2222", "scraper", scopes='["metrics"]')
SCRAPE = {"x-api-key": SCRAPER}


def test_workers_share_one_count(
    start: Callable[..., Service], redis: tuple[str, subprocess.Popen[bytes]]
) -> None:
    """Ten a minute is ten over both workers, on connections of their own."""
    environment = {"OCR_LIMITS__STORAGE": redis[0]}
    with start(server={"workers": "2"}, local=STANZA, environment=environment) as service:
        answers = []
        for _ in range(14):
            with service.client(key=KEY) as client:
                answers.append(client.post("/ocr", headers={"content-type": "text/x"}).status_code)
        assert answers == [415] * 10 + [429] * 4


@pytest.mark.parametrize(("policy", "status"), [("deny", 503), ("allow", 415)])
def test_a_hung_storage(
    start: Callable[..., Service],
    redis: tuple[str, subprocess.Popen[bytes]],
    policy: str,
    status: int,
) -> None:
    """redis stopped in its tracks: the policy decides within the wait, and health is unharmed."""
    local = (
        f'[limits]\nstorage_wait_s = 0.3\non_storage_failure = "{policy}"\n{STANZA}{SCRAPER_STANZA}'
    )
    with start(local=local, environment={"OCR_LIMITS__STORAGE": redis[0]}) as service:
        with service.client(key=KEY) as client:
            assert client.post("/ocr", headers={"content-type": "text/x"}).status_code == 415
            os.kill(redis[1].pid, signal.SIGSTOP)
            began = time.monotonic()
            assert client.post("/ocr", headers={"content-type": "text/x"}).status_code == status
            assert time.monotonic() - began < 10
            assert client.get("/healthz").status_code == 200
            assert client.get("/readyz").json()["code"] == "not_ready"
            metrics = client.get("/metrics", headers=SCRAPE).text
            assert 'sealed_ocr_ready{check="limit_storage"} 0' in metrics
            assert client.get("/metrics", headers={"x-api-key": KEY}).status_code == 403
            os.kill(redis[1].pid, signal.SIGCONT)
            assert client.post("/ocr", headers={"content-type": "text/x"}).status_code == 415
            assert client.get("/readyz").status_code == 200
        assert any('"limit_storage_failed"' in line for line in service.log)
        assert sum('"limit_storage_recovered"' in line for line in service.log) == 1


def test_a_start_without_the_storage_is_logged(start: Callable[..., Service]) -> None:
    """The service starts all the same, and is not ready."""
    nowhere = {"OCR_LIMITS__STORAGE": "async+redis://127.0.0.1:1"}
    with start(local=STANZA, environment=nowhere) as service:
        assert '"policy": "deny"' in service.logged('"limit_storage_unreachable"')
        with service.client(key=KEY) as client:
            assert client.post("/ocr").json()["code"] == "limit_storage_failed"
            assert client.get("/readyz").json()["code"] == "not_ready"
