"""No caller keeps all tickets while others wait."""

import asyncio

import pytest

from model.admission import Admission, Full

pytestmark = pytest.mark.anyio


class Requests:
    """Requests that hold their tickets until they are told to end."""

    def __init__(self, admission: Admission) -> None:
        self.admission = admission
        self.ending = asyncio.Event()
        self.tasks: list[asyncio.Task[str]] = []

    async def add(self, callers: str, *, started: bool = False) -> None:
        """Add a request of each caller."""
        for caller in callers:
            self.tasks.append(asyncio.create_task(self._hold(caller, started=started)))
            await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def end(self) -> str:
        """End all; return the caller of each, in capitals if it was not evicted or refused."""
        self.ending.set()
        return "".join(await asyncio.gather(*self.tasks))

    async def _hold(self, caller: str, *, started: bool) -> str:
        try:
            with self.admission.ticket(caller) as ticket:
                ticket.started = started
                await self.ending.wait()
        except Full:
            return caller
        return caller.upper()


@pytest.fixture
def requests() -> Requests:
    """Return requests for four tickets."""
    return Requests(Admission(4))


@pytest.mark.parametrize(
    ("callers", "outcome"),
    [
        ("aaaaa", "AAAAa"),  # a single caller may have all of them
        ("aaaab", "AAAaB"),  # the newest of the caller with most is evicted
        ("aaaabb", "AAaaBB"),
        ("aaaabbb", "AAaaBBb"),  # not for a caller with as many
        ("aaaabc", "AAaaBC"),
        ("aabbc", "AABbC"),
        ("abcde", "ABCDe"),
    ],
)
async def test_tickets_are_shared(requests: Requests, callers: str, outcome: str) -> None:
    """A caller with few tickets gets one of the caller with most."""
    await requests.add(callers)
    assert await requests.end() == outcome
    assert len(requests.admission) == 0


async def test_a_started_request_is_not_evicted(requests: Requests) -> None:
    """Its first page may already be decoded."""
    await requests.add("aaaa", started=True)
    await requests.add("b")
    assert await requests.end() == "AAAAb"


async def test_a_cancelled_request_stays_cancelled(requests: Requests) -> None:
    """It raises CancelledError, not Full, and its ticket is free."""
    await requests.add("a")
    requests.tasks[0].cancel()
    await asyncio.wait(requests.tasks)
    assert requests.tasks[0].cancelled()
    assert len(requests.admission) == 0


async def test_evicted_and_cancelled_at_once(requests: Requests) -> None:
    """It raises CancelledError: its deadline has passed, too."""
    await requests.add("aaaa")
    newest = requests.tasks[3]
    with requests.admission.ticket("b"):
        newest.cancel()
        await asyncio.wait([newest])
    assert newest.cancelled()
