"""Processes that die, clients that leave, stops in the middle of work."""

import os
import re
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx2

from tests.model.processes import children_of
from tests.system.processes import engine_seconds, wait_until_reading
from tests.system.service import Service

Draw = Callable[..., bytes]


def test_engine_and_decoder_start_with_the_first_reading(
    start: Callable[..., Service], draw: Draw
) -> None:
    """Serving costs no model: being alive starts nothing, a reading starts two."""
    with start() as service, service.client() as client:
        assert client.get("/healthz").status_code == 200
        assert children_of(service.process.pid) == set()
        client.post("/ocr", files={"image": draw("LAZY")})
        assert len(children_of(service.process.pid)) == 2


def test_idle_processes_end(start: Callable[..., Service], draw: Draw) -> None:
    """After idle_s without a reading their memory is given back, and the next reading works."""
    with start(local="[engine]\nidle_s = 0.2\n") as service, service.client() as client:
        assert client.post("/ocr", files={"image": draw("IDLE")}).status_code == 200
        due = time.monotonic() + 30
        while children_of(service.process.pid) and time.monotonic() < due:
            time.sleep(0.05)
        assert children_of(service.process.pid) == set()
        assert client.post("/ocr", files={"image": draw("IDLE")}).status_code == 200


def test_a_death_costs_one_request(start: Callable[..., Service], draw: Draw) -> None:
    """Killing the processes during a reading is a 503 for that request; the next one succeeds."""
    with start() as service, service.client() as client:
        client.post("/ocr", files={"image": draw("ALIVE")})
        answers: list[httpx2.Response] = []
        image = draw(*["A LONG PAGE OF TEXT"] * 60)
        thread = threading.Thread(
            target=lambda: answers.append(client.post("/ocr", files={"image": image}))
        )
        before_s = engine_seconds(service)
        thread.start()
        wait_until_reading(service, before_s)
        for child in children_of(service.process.pid):
            os.kill(child, signal.SIGKILL)
        thread.join(60)
        assert answers[0].status_code == 503
        assert answers[0].json()["code"] == "reader_died"
        assert client.post("/ocr", files={"image": draw("ALIVE")}).status_code == 200


def test_a_disconnected_client_frees_its_slot(start: Callable[..., Service], draw: Draw) -> None:
    """With one slot, a second caller is served soon after the first disconnects."""
    image = draw(*["A LONG PAGE OF TEXT"] * 60)
    with start(local="[engine]\nmax_waiting = 0\n") as service:
        with service.client() as client:
            client.post("/ocr", files={"image": draw("WARM")})
        with service.client() as leaving:
            leaving.timeout = httpx2.Timeout(0.3)
            try:
                leaving.post("/ocr", files={"image": image})
            except httpx2.ReadTimeout:
                left = True
            assert left
        with service.client() as client:
            due = time.monotonic() + 20
            status = 503
            while status == 503 and time.monotonic() < due:
                status = client.post("/ocr", files={"image": draw("NEXT")}).status_code
        assert status == 200
        assert any('"complete": false' in line for line in service.log)


def test_a_stop_lets_readings_finish(start: Callable[..., Service], draw: Draw) -> None:
    """SIGTERM in the middle of a reading: it is answered, then everything ends, without orphans."""
    with start() as service, service.client() as client:
        client.post("/ocr", files={"image": draw("WARM")})
        children = children_of(service.process.pid)
        answers: list[int] = []
        image = draw(*["A LONG PAGE OF TEXT"] * 20)
        thread = threading.Thread(
            target=lambda: answers.append(client.post("/ocr", files={"image": image}).status_code)
        )
        before_s = engine_seconds(service)
        thread.start()
        wait_until_reading(service, before_s)
        assert service.stop() == 0
        thread.join(60)
        assert answers == [200]
        assert not any(Path(f"/proc/{child}").exists() for child in children)


def test_no_orphans_after_a_kill(start: Callable[..., Service], draw: Draw) -> None:
    """When the service itself is killed, its processes end with it."""
    with start() as service, service.client() as client:
        client.post("/ocr", files={"image": draw("WARM")})
        children = children_of(service.process.pid)
        assert children
        service.process.kill()
        service.process.wait()
        due = time.monotonic() + 20
        while any(Path(f"/proc/{child}").exists() for child in children):
            assert time.monotonic() < due
            time.sleep(0.05)


def test_no_process_leaves_a_core(start: Callable[..., Service], draw: Draw) -> None:
    """Neither the service nor what decodes and reads, whatever limit it was started with."""
    with start() as service, service.client() as client:
        client.post("/ocr", files={"image": draw("WARM")})
        for pid in (service.process.pid, *children_of(service.process.pid)):
            limits = Path(f"/proc/{pid}/limits").read_text()
            assert re.search(r"Max core file size\s+0\s+0\s", limits)
