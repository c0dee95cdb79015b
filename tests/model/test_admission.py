"""Nobody takes all the places while others come."""

import asyncio

import pytest

from model.admission import Admission, Full

pytestmark = pytest.mark.anyio


class Crowd:
    """Requests that hold their places until they are let go."""

    def __init__(self, admission: Admission) -> None:
        self.admission = admission
        self.over = asyncio.Event()
        self.tasks: list[asyncio.Task[str]] = []

    async def come(self, callers: str, *, started: bool = False) -> None:
        """Have a request of each caller come."""
        for caller in callers:
            self.tasks.append(asyncio.create_task(self._hold(caller, started=started)))
            await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def end(self) -> str:
        """Let all go; return who was in to the end, in capitals, and who was sent away."""
        self.over.set()
        return "".join(await asyncio.gather(*self.tasks))

    async def _hold(self, caller: str, *, started: bool) -> str:
        try:
            with self.admission.ticket(caller) as ticket:
                ticket.started = started
                await self.over.wait()
        except Full:
            return caller
        return caller.upper()


@pytest.fixture
def crowd() -> Crowd:
    """Return a crowd before four places."""
    return Crowd(Admission(4))


@pytest.mark.parametrize(
    ("callers", "outcome"),
    [
        ("aaaaa", "AAAAa"),  # one caller alone may have them all, and no more
        ("aaaab", "AAAaB"),  # the newest of the greediest goes
        ("aaaabb", "AAaaBB"),
        ("aaaabbb", "AAaaBBb"),  # equals do not displace each other
        ("aaaabc", "AAaaBC"),
        ("aabbc", "AABbC"),
        ("abcde", "ABCDe"),
    ],
)
async def test_places_are_shared(crowd: Crowd, callers: str, outcome: str) -> None:
    """Who has fewer places takes one of who has most."""
    await crowd.come(callers)
    assert await crowd.end() == outcome
    assert len(crowd.admission) == 0


async def test_who_is_being_served_stays(crowd: Crowd) -> None:
    """A page that is being read is not thrown away for a newcomer's."""
    await crowd.come("aaaa", started=True)
    await crowd.come("b")
    assert await crowd.end() == "AAAAb"


async def test_a_cancelled_request_stays_cancelled(crowd: Crowd) -> None:
    """Who leaves is not told that the place is full; the place is free."""
    await crowd.come("a")
    crowd.tasks[0].cancel()
    await asyncio.wait(crowd.tasks)
    assert crowd.tasks[0].cancelled()
    assert len(crowd.admission) == 0


async def test_sent_away_and_cancelled_at_once(crowd: Crowd) -> None:
    """A deadline that passes at that very moment is the one that counts."""
    await crowd.come("aaaa")
    newest = crowd.tasks[3]
    with crowd.admission.ticket("b"):
        newest.cancel()
        await asyncio.wait([newest])
    assert newest.cancelled()
