"""No caller ever gets another's text, even when requests are cancelled and processes die."""

import asyncio
import contextlib
import json
import os
import random
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from tests.system.processes import decoders_of, pids_of
from tests.system.service import Service
from tests.system.shared import Answer, Shared

pytestmark = pytest.mark.anyio
Draw = Callable[..., bytes]
CALLERS, CONNECTIONS = 16, 4
LEAVING = 0.1  # share of requests that their callers leave
READINGS_PER_KILL = 40
# How many requests a death may cost, at most: with the zygote go all of its decoders.
COSTS = {"decoder": 1, "engine": 1, "zygote": 2}
SETTINGS = (
    "[engine]\nprocesses = 2\ndecoders = 2\nthreads = 1\nmax_waiting = 32\n"
    "max_readings = {max_readings}\n"
    '[limits]\nper_address = "100000/minute"\n'
)
SWAPPING = '''"""The shipped function with a fault: a request gets the answer of the one before."""

from handlers.ocr import recognize

waiting = []


async def swap(request):
    """Answer the request before this one."""
    waiting.append(await recognize(request))
    return waiting.pop(0) if len(waiting) > 1 else waiting[0]
'''


@dataclass
class Tally:
    """What became of the requests."""

    own: int = 0
    left: int = 0
    foreign: list[tuple[str, str]] = field(default_factory=list)  # sent, received
    victims: list[str] = field(default_factory=list)  # their problems' codes
    kills: list[str] = field(default_factory=list)
    engines: set[int] = field(default_factory=set)

    def note(self, nonce: str, answer: Answer) -> None:
        """Note an answer to a request with a nonce."""
        status, body = answer
        document = json.loads(body)
        if status != 200:
            self.victims.append(document["code"])
            return
        text = document["text"].replace(" ", "")
        if text == nonce:
            self.own += 1
        else:
            self.foreign.append((nonce, text))


def nonces(caller: int) -> Iterator[str]:
    """Yield texts that are unique, and the same in every run."""
    chance = random.Random(caller)  # noqa: S311 - to be told apart, not guessed
    while True:
        yield "".join(chance.choices("0123456789", k=10))


async def call(connection: Shared, caller: int, readings: int, draw: Draw, tally: Tally) -> None:
    """Have so many images read, one after the other, and leave some more requests unanswered."""
    chance = random.Random(-caller)  # noqa: S311 - as above
    answered = 0
    for nonce in nonces(caller):
        patience_s = chance.uniform(0, 0.3) if chance.random() < LEAVING else None
        image = draw(" ".join(nonce))  # digits side by side are sometimes read as one
        try:
            async with asyncio.timeout(patience_s):
                answer = await connection.post("/ocr?detect=false", image)
        except TimeoutError:
            tally.left += 1
            continue
        tally.note(nonce, answer)
        answered += 1
        if answered == readings:
            return


async def kill_now_and_then(service: Service, tally: Tally) -> None:
    """Kill a decoder, an engine or a zygote for every so many answers."""
    chance = random.Random(7)  # noqa: S311 - as above
    while True:
        await asyncio.sleep(0.002)
        tally.engines |= pids_of(service, "engine")
        if tally.own < READINGS_PER_KILL * (len(tally.kills) + 1):
            continue
        kind = tuple(COSTS)[len(tally.kills) % len(COSTS)]
        # A decoder lives for milliseconds: it is killed as soon as it is seen.
        found = decoders_of(service) if kind == "decoder" else pids_of(service, kind)
        if found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(sorted(found)), signal.SIGKILL)
                tally.kills.append(kind)


async def mixed_up(service: Service, draw: Draw, *, readings: int, kill: bool = False) -> Tally:
    """Have so many images read for many callers on few connections."""
    tally = Tally()
    async with contextlib.AsyncExitStack() as stack:
        shared = [await stack.enter_async_context(Shared(service)) for _ in range(CONNECTIONS)]
        async with asyncio.TaskGroup() as group:
            callers = [
                group.create_task(
                    call(shared[caller % CONNECTIONS], caller, readings // CALLERS, draw, tally)
                )
                for caller in range(CALLERS)
            ]
            if kill:
                killing = group.create_task(kill_now_and_then(service, tally))
                await asyncio.wait(callers)
                killing.cancel()
    return tally


async def check_isolation(
    start: Callable[..., Service], draw: Draw, *, readings: int, max_readings: int
) -> None:
    """Check that every caller gets its own text while processes are killed and replaced."""
    with start(local=SETTINGS.format(max_readings=max_readings)) as service:
        tally = await mixed_up(service, draw, readings=readings, kill=True)
    assert tally.foreign == []
    assert tally.left > 0
    assert any('"complete": false' in line for line in service.log)
    assert len(tally.victims) <= sum(COSTS[kind] for kind in tally.kills)
    assert set(tally.victims) <= {"reader_died", "unreadable_image"}
    assert len(tally.kills) >= readings // READINGS_PER_KILL - 2
    # More engines than ran at first and in the place of killed ones: some were replaced in time.
    assert len(tally.engines) > 2 + tally.kills.count("engine")


@pytest.mark.timeout(600)
async def test_every_caller_gets_its_own_text(start: Callable[..., Service], draw: Draw) -> None:
    """16 callers, 4 connections, 304 readings, with requests left and processes killed."""
    await check_isolation(start, draw, readings=304, max_readings=60)


@pytest.mark.soak
@pytest.mark.timeout(3600)
async def test_every_caller_gets_its_own_text_over_many_requests(
    start: Callable[..., Service], draw: Draw
) -> None:
    """The same with 2,000 readings."""
    await check_isolation(start, draw, readings=2000, max_readings=200)


async def test_swapped_results_are_detected(start: Callable[..., Service], draw: Draw) -> None:
    """Negative control: the same check finds that replies are swapped."""
    local = '[[functions]]\npath = "/ocr"\nhandler = "swapping:swap"\nscope = "ocr"\n'
    settings = SETTINGS.format(max_readings=1000) + local
    with start(local=settings, modules={"swapping.py": SWAPPING}) as service:
        tally = await mixed_up(service, draw, readings=32)
    assert tally.foreign
