"""Mutants of valid files of every type, sent to the real service several at a time."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable

import httpx2
import pytest

from tests.corpus.mutations import mutant
from tests.corpus.seeds import SEEDS
from tests.system.hostile import Watch, judge, settings
from tests.system.service import Service

LOG = logging.getLogger(__name__)
IN_FLIGHT = 6  # of the nine that one engine and its queue take
STATUSES = frozenset({200, 400, 413, 415, 422})
FAILURES = 20  # told at most

pytestmark = pytest.mark.anyio


async def _post(client: httpx2.AsyncClient, data: bytes) -> httpx2.Response:
    kind = {"content-type": "application/octet-stream"}
    return await client.post("/ocr?detect=false", content=data, headers=kind)


async def _send(
    client: httpx2.AsyncClient, seed: int, number: int, tally: Counter[str]
) -> str | None:
    """Send a mutant; return what was wrong with its answer, and how to have it again."""
    name, data = mutant(seed, number)
    try:
        answer = await _post(client, data)
        tally[str(answer.status_code)] += 1
        judge(answer, data, STATUSES)
    except (AssertionError, httpx2.HTTPError, ValueError) as error:
        return f"mutant({seed}, {number}), from {name}: {type(error).__name__} {str(error)[:300]}"
    return None


async def _send_all(
    client: httpx2.AsyncClient, seed: int, mutants: int
) -> tuple[Counter[str], list[str]]:
    """Send so many mutants; return how often each status came, and what was wrong."""
    numbers, tally, failures = iter(range(mutants)), Counter[str](), list[str]()

    async def send_some() -> None:
        for number in numbers:
            failure = await _send(client, seed, number, tally)
            if failure is not None:
                failures.append(failure)

    async with asyncio.TaskGroup() as group:
        for _ in range(IN_FLIGHT):
            group.create_task(send_some())
    return tally, failures


# The client gives up a request that hangs, so that the whole needs no limit of its own.
@pytest.mark.timeout(0)
async def test_mutants(start: Callable[..., Service], pytestconfig: pytest.Config) -> None:
    """Whatever is sent is read or refused; no process ends, nothing is leaked or quoted."""
    seed, mutants = pytestconfig.getoption("seed"), pytestconfig.getoption("mutants")
    key, local = settings()
    with start(local=local) as service:
        async with service.async_client(key=key) as client:
            for make in SEEDS.values():
                assert (await _post(client, make())).status_code == 200
            watch = Watch(service)
            tally, failures = await _send_all(client, seed, mutants)
            ended = Counter(event["cause"] for event in watch.ended())
            LOG.info("seed %d, %d mutants: %s; ended: %s", seed, mutants, tally, ended)
            assert not failures, "\n".join(failures[:FAILURES])
            assert tally.total() == mutants
            await asyncio.to_thread(watch.check)


def test_mutants_are_reproducible() -> None:
    """The same seed and number make the same file; others make others."""
    ours = [mutant(1, number) for number in range(100)]
    assert ours == [mutant(1, number) for number in range(100)]
    assert len({data for _, data in ours}) > 90
    assert {data for _, data in ours}.isdisjoint(mutant(2, number)[1] for number in range(100))
