"""Serving processes give each other their metrics, and nobody else."""

import asyncio
import os
from contextlib import closing

import pytest

from metrics import workers
from metrics.family import Family, Sample, counter, gauge
from metrics.workers import Workers, decoded, encoded, merged

pytestmark = pytest.mark.anyio
GROUP = f"test-{os.getpid()}"


def of(value: float) -> Workers:
    """Return one of two workers, whose only metric has this value."""

    async def collect() -> list[Family]:
        return [gauge("slots", "meaning", value)]

    return Workers(GROUP, 2, collect)


async def values_of(worker: Workers) -> dict[str, float]:
    """Return the value of each worker, by its number."""
    (family,) = await worker.families()
    return {sample.labels["worker"]: sample.value for sample in family.samples}


async def test_a_scrape_of_any_worker_has_all() -> None:
    """One that ends is left out, and the next one takes its number."""
    with closing(of(10)) as first, closing(of(30)) as third:
        with closing(of(20)) as second:
            await first.start()
            await second.start()
            await third.start()
            assert await values_of(second) == {"1": 10, "2": 20, "3": 30}
            assert await values_of(first) == {"1": 10, "2": 20, "3": 30}
        assert await values_of(third) == {"1": 10, "3": 30}
        with closing(of(40)) as fourth:
            await fourth.start()
            assert await values_of(first) == {"1": 10, "2": 40, "3": 30}


async def test_one_that_does_not_answer_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scrape does not wait for it."""
    monkeypatch.setattr(workers, "WAIT_S", 0.2)

    async def never() -> list[Family]:
        await asyncio.Event().wait()
        return []

    with closing(of(10)) as first, closing(Workers(GROUP, 2, never)) as stuck:
        await first.start()
        await stuck.start()
        assert await values_of(first) == {"1": 10}


async def test_another_user_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel says whose process is at the other end; both ends ask it."""
    with closing(of(10)) as first, closing(of(20)) as second:
        await first.start()
        await second.start()
        assert await values_of(first) == {"1": 10, "2": 20}
        other = os.geteuid() + 1
        monkeypatch.setattr(os, "geteuid", lambda: other)
        assert await values_of(first) == {"1": 10}
        reader, writer = await asyncio.open_unix_connection(first._name(2))
        assert await reader.read() == b""
        writer.close()


def test_nothing_is_lost_on_the_way() -> None:
    """Families are what they were, and those of one name become one."""
    family = counter("requests", "meaning", ("key",), {("a",): 1, ("b\n",): 2})
    assert decoded(encoded([family])) == [family]
    (one,) = merged([(1, [family]), (2, [family])])
    assert one.samples[0] == Sample("_total", {"worker": "1", "key": "a"}, 1)
    assert [sample.value for sample in one.samples] == [1, 2, 1, 2]
