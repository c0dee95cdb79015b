"""Which request starts next."""

import asyncio
import json
import time
from contextlib import ExitStack

import pytest

from server.fair_queue import FairQueue
from tests.server.clients import Client
from tests.server.servers import VARIANTS, serving
from tls.development import Paths

FLOOD = 10
CONNECTIONS = 40


def by_first_number() -> FairQueue:
    """Return a queue whose subnets are the first number of an address."""
    return FairQueue(lambda address: address.split(".")[0])


class Served:
    """The clients that had a turn, in their order."""

    def __init__(self, turns: FairQueue) -> None:
        self.turns = turns
        self.order: list[str] = []

    async def ask(self, address: str) -> None:
        """Wait for a turn, and note it."""
        await self.turns.acquire((address, 1))
        self.order.append(address)


@pytest.mark.anyio
async def test_subnets_take_turns() -> None:
    """A client after fifty of another subnet is served second, or third of three subnets."""
    served = Served(by_first_number())
    asked = [*["1.1"] * 50, "2.1", "2.2", "3.1"]
    await asyncio.gather(*(served.ask(address) for address in asked))
    assert served.order[:6] == ["1.1", "1.1", "2.1", "3.1", "1.1", "2.2"]
    assert sorted(served.order) == sorted(asked)


@pytest.mark.anyio
async def test_one_request_starts_per_iteration() -> None:
    """Between two requests everything else can run."""
    served = Served(by_first_number())
    tasks = [asyncio.ensure_future(served.ask("1.1")) for _ in range(20)]
    while not all(task.done() for task in tasks):
        before = len(served.order)
        await asyncio.sleep(0)
        assert len(served.order) <= before + 1


@pytest.mark.anyio
async def test_a_client_that_is_alone_does_not_wait() -> None:
    """A first request, and one after a pause, start at once."""
    turns = by_first_number()
    for _ in range(2):
        with pytest.raises(StopIteration):
            turns.acquire(None).send(None)
        await asyncio.sleep(0)


@pytest.mark.anyio
async def test_a_cancelled_request_is_skipped() -> None:
    """A cancelled request takes no turn from the others, and is not started."""
    served = Served(by_first_number())
    tasks = [asyncio.ensure_future(served.ask(f"{number}.1")) for number in range(10)]
    await asyncio.sleep(0)
    for task in tasks[2:9]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert served.order == ["0.1", "1.1", "9.1"]
    with pytest.raises(StopIteration):
        served.turns.acquire(None).send(None)


@VARIANTS
def test_a_flood_of_requests_does_not_delay_others(pair: Paths, *, hardened: bool) -> None:
    """Of hundreds of requests of one address few start before another's three are answered."""
    given = {"max_connections_per_address": 100} if hardened else {}
    with serving(pair, hardened=hardened, **given) as server, ExitStack() as opened:
        flood = [
            opened.enter_context(Client(server, source="127.0.0.2")) for _ in range(CONNECTIONS)
        ]
        honest = opened.enter_context(Client(server))
        for client in flood:
            client.open_many("/busy", FLOOD)
        time.sleep(0.02)  # so that they have come
        begun = [json.loads(honest.get("/stats"))["started"] for _ in range(3)]
    assert begun[-1] < FLOOD * CONNECTIONS / 5
