"""A pool of child processes: when they start, stop and are replaced."""

import asyncio
import errno
from typing import Any

import pytest

from model.errors import ReaderDied, WeightsError
from model.workers.channel import Message
from model.workers.launcher import Launcher
from model.workers.pool import Pool
from tests.model.workers.children import StandIn

pytestmark = pytest.mark.anyio


def pool(launcher: Launcher, **overrides: Any) -> Pool:
    """Return a pool; its small defaults may be overridden."""
    values: dict[str, Any] = {
        "size": 1,
        "start_timeout_s": 60,
        "cancel_grace_s": 0,
        "max_requests": 0,
        "report": lambda _process, _cause: None,
    }
    return Pool(launcher, "engine", {}, **{**values, **overrides})


async def pid_of_next(children: Pool) -> int:
    """Lease a child and return its process's id."""
    async with children.lease() as lease:
        return (await lease.worker()).pid


async def cancelled_request(children: Pool, message: Message) -> int:
    """Send a request, cancel it before the response, and return the process's id."""
    async with children.lease() as lease:
        child = await lease.worker()
        request = asyncio.create_task(child.request(message))
        await asyncio.sleep(0)  # it is sent
        assert child.busy
        request.cancel()
        await asyncio.wait([request])
        return child.pid


async def test_a_child_that_starts_late_is_stopped(stand_in: StandIn) -> None:
    """It is killed, and its slot is free again."""
    children = pool(stand_in("time.sleep(60)"), start_timeout_s=0.3)
    for _ in range(2):
        with pytest.raises(ReaderDied, match=r"did not start in 0\.3 s"):
            await pid_of_next(children)
    await children.aclose()
    assert children.pids == []


@pytest.mark.parametrize(
    ("failure", "error"), [("weights", WeightsError), ("something else", ReaderDied)]
)
async def test_an_error_at_the_start_is_raised_and_reported(
    stand_in: StandIn, failure: str, error: type[Exception]
) -> None:
    """Missing weights are a WeightsError; an unknown failure is no successful start."""
    reports: list[tuple[str, str]] = []
    children = pool(
        stand_in(f"send(sequence=sequence, error={failure!r}, detail='model.onnx is missing')"),
        report=lambda *report: reports.append(report),
    )
    with pytest.raises(error):
        await pid_of_next(children)
    await children.aclose()
    assert reports == [("engine", "model.onnx is missing")]


async def test_a_child_that_hangs_is_replaced_after_the_grace(stand_in: StandIn) -> None:
    """A child that ignores a cancellation is killed, and its slot is free again."""
    lines = "if sequence == 1:\n    send(sequence=1)\nelse:\n    time.sleep(60)"
    children = pool(stand_in(lines), cancel_grace_s=0.2)
    hung = await cancelled_request(children, {})
    async with asyncio.timeout(30):
        assert await pid_of_next(children) != hung
    assert children.deaths == 1
    await children.aclose()


async def test_a_child_that_obeys_a_cancellation_is_kept(stand_in: StandIn) -> None:
    """It takes the next request, and the late response goes to no caller."""
    lines = (
        "if request.get('slow'):\n    receive()\n    send(sequence=sequence, cancelled=True)\n"
        "elif 'cancel' not in request:\n    send(sequence=sequence, quick=True)"
    )
    children = pool(stand_in(lines), cancel_grace_s=60)
    first = await cancelled_request(children, {"slow": True})
    async with children.lease() as lease:
        child = await lease.worker()
        assert child.pid == first
        message = await child.request({})
        assert message["quick"]
    assert children.deaths == 0
    await children.aclose()


async def test_no_more_children_than_the_load_needs(stand_in: StandIn) -> None:
    """One after another, requests use the same child; at the same time, they start more."""
    children = pool(stand_in("send(sequence=sequence)"), size=3)
    for _ in range(3):
        await pid_of_next(children)
        assert len(children.pids) == 1
    async with children.lease() as one, children.lease() as other:
        await one.worker()
        await other.worker()
        assert len(children.pids) == 2
    await children.stop_idle()
    assert children.pids == []
    assert children.deaths == 0


async def test_a_child_is_replaced_after_its_number_of_requests(stand_in: StandIn) -> None:
    """Whatever it may have kept of pages goes with it, and this is not counted as a death."""
    children = pool(stand_in("send(sequence=sequence)"), max_requests=2)
    pids = []
    for _ in range(5):
        async with children.lease() as lease:
            child = await lease.worker()
            pids.append(child.pid)
            await child.request({})
    assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [2, 2, 1]
    assert children.deaths == 0
    await children.aclose()


async def test_a_child_that_finds_no_descriptors_left_costs_no_slot(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The start that is made in advance fails; the next request starts another child."""
    children = pool(stand_in(""))
    try:
        with monkeypatch.context() as patched:

            def exhausted(*_arguments: object) -> None:
                raise OSError(errno.EMFILE, "Too many open files")

            patched.setattr("model.workers.process.socket.socketpair", exhausted)
            children.prestart()
            await asyncio.sleep(0)
        async with asyncio.timeout(20), children.lease():
            pass
    finally:
        await children.aclose()


async def test_the_spare_child_is_started_ahead_too(stand_in: StandIn) -> None:
    """Control: so many as are asked for."""
    children = pool(stand_in("send(sequence=sequence)"), size=2, spare=1)
    try:
        await children.warm(1)
        assert len(children.pids) == 1
        await children.warm()
        assert len(children.pids) == 3
    finally:
        await children.aclose()
