"""The corpus of hostile files, sent to the real service one by one."""

import base64
import json
import logging
import os
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import httpx2
import pytest

from tests.corpus.entries import ENTRIES
from tests.corpus.entry import BROKEN, MARK, Entry
from tests.corpus.seeds import SEEDS
from tests.model.processes import children_of
from tests.system.hostile import Watch, judge, request_of, settings
from tests.system.service import Service

LOG = logging.getLogger(__name__)
PROCESSES = 2  # the zygote and the engine


@dataclass(frozen=True, slots=True)
class Target:
    """A service, a client of it, the watch over it, and what it read when it was untouched."""

    service: Service
    client: httpx2.Client
    watch: Watch
    texts: Mapping[str, str]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A service that has read a file of each type and received a large body."""
    key, local = settings()
    with (
        Service(tmp_path_factory.mktemp("hostile"), local=local) as service,
        service.client(key=key) as client,
    ):
        texts = {name: _read(client, make()) for name, make in SEEDS.items()}
        _read(client, SEEDS["png"]() + bytes(4_900_000))
        yield Target(service, client, Watch(service), texts)


@pytest.fixture
def target(running: Target) -> Target:
    """The same service, with the processes that run when the test begins."""
    if len(children_of(running.service.process.pid)) < PROCESSES:  # the test before ended one
        _read(running.client, SEEDS["png"]())
    running.watch.renew()
    return running


def _read(client: httpx2.Client, data: bytes) -> str:
    kind = {"content-type": "application/octet-stream"}
    answer = client.post("/ocr?detect=false", content=data, headers=kind)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["text"])


def _fabricated(status: int = 422, **changes: str) -> httpx2.Response:
    """Return an answer as the service might have given it."""
    document = {"type": "t", "title": "t", "detail": "d", "code": "c", "request_id": "1", **changes}
    return httpx2.Response(
        status,
        headers={"content-type": "application/problem+json", "x-request-id": "1"},
        content=json.dumps({**document, "status": status}),
    )


def test_names_are_unique() -> None:
    """A failure names one entry."""
    assert len({entry.name for entry in ENTRIES}) == len(ENTRIES)


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.name for entry in ENTRIES])
def test_entry(target: Target, entry: Entry) -> None:
    """Each file gets one of its answers; no process ends, nothing is leaked, quoted or logged."""
    data = entry.make()
    answer = target.client.request(**request_of(entry, data))
    judge(answer, data, entry.statuses)
    target.watch.check()
    for event in target.watch.ended():
        LOG.warning("%s: the decoder ended: %s", entry.name, event["cause"])


@pytest.mark.parametrize("as_json", [False, True])
def test_one_broken_file_refuses_the_request(target: Target, *, as_json: bool) -> None:
    """One broken file after fifteen valid ones refuses the whole request."""
    broken = MARK + SEEDS["png"]()
    files = [*[make() for make in SEEDS.values()][:15], SEEDS["jpeg"]()[:300]]
    if as_json:
        texts = [base64.b64encode(file).decode() for file in files]
        answer = target.client.post("/ocr", json={"images": texts})
    else:
        parts = [("image", (MARK.decode(), file)) for file in files]
        answer = target.client.post("/ocr", files=parts)
    judge(answer, broken, BROKEN)
    assert answer.json()["image"] == 16
    target.watch.check()


def test_valid_files_are_read_as_before(target: Target) -> None:
    """After all that, every type is read as it was at the beginning."""
    assert {name: _read(target.client, make()) for name, make in SEEDS.items()} == target.texts
    target.watch.check()


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (_fabricated(500), "500"),
        (_fabricated(503), "503"),
        (_fabricated(200), "text"),
        (_fabricated(detail=MARK.decode()), "quotes"),
        (_fabricated(detail="sixteen bytes of an upload"), "quotes"),
        (_fabricated(more="x"), "more"),
        (_fabricated(code=""), "code"),
        (httpx2.Response(422, text="Unreadable"), "problem"),
    ],
)
def test_a_wrong_response_is_detected(answer: httpx2.Response, complaint: str) -> None:
    """The judge is not blind: each of these is refused."""
    with pytest.raises(AssertionError, match=complaint):
        judge(answer, b"sixteen bytes of an upload", BROKEN)


def test_a_process_that_ends_is_detected(target: Target) -> None:
    """Negative control: the watch reports a zygote that is gone, and its replacement."""
    zygote = min(target.watch.children)
    os.kill(zygote, signal.SIGTERM)
    due = time.monotonic() + 30
    while zygote in children_of(target.service.process.pid):
        assert time.monotonic() < due
        time.sleep(0.01)
    with pytest.raises(AssertionError, match="other processes"):
        target.watch.check()
    _read(target.client, SEEDS["png"]())
    with pytest.raises(AssertionError, match="other processes"):
        target.watch.check()


def test_leaks_are_detected(target: Target) -> None:
    """An open connection looks like a leaked descriptor, a giant image like leaked memory."""
    with target.service.client(key=None) as other:
        assert other.get("/healthz").status_code == 200
        with pytest.raises(AssertionError, match="descriptors held"):
            target.watch.check(settling_s=0.1)
    target.watch.check()
    right, target.watch.resident_mb = target.watch.resident_mb, -1000
    with pytest.raises(AssertionError, match="MB held"):
        target.watch.check(settling_s=0.1)
    target.watch.resident_mb = right
