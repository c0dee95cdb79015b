"""What could not be ended is tried again, for some time; what is lost is logged and counted."""

import asyncio
import json

import pytest

from middleware import endings as endings_module
from middleware.counting.storage import StorageFailed
from middleware.endings import Ending, Endings

pytestmark = pytest.mark.anyio


class Storage:
    """Fails so many times; then it ends what it is asked to."""

    def __init__(self, fails: int = 0) -> None:
        self.fails = fails
        self.ended: list[int] = []

    def ending(self, number: int) -> Ending:
        """Return something to end, of this amount."""

        async def end() -> None:
            if self.fails:
                self.fails -= 1
                raise StorageFailed("ConnectionError")
            self.ended.append(number)

        return Ending("pages", number, end)


@pytest.fixture
def lost() -> list[tuple[str, int]]:
    """Collect what is lost."""
    return []


@pytest.fixture
def endings(log: list[str], lost: list[tuple[str, int]]) -> Endings:
    """Return endings that wait a second for a storage."""
    return Endings(wait_s=1, write=log.append, lost=lambda *what: lost.append(what))


async def test_they_are_ended_in_order(endings: Endings, lost: list[tuple[str, int]]) -> None:
    """Once each, though the storage fails at first; later ones start the work anew."""
    storage = Storage(fails=3)
    for number in range(4):
        endings.add(storage.ending(number))
    await endings.aclose(30)
    assert storage.ended == [0, 1, 2, 3]
    endings.add(storage.ending(4))
    await endings.aclose(30)
    assert (storage.ended, len(endings), lost) == ([0, 1, 2, 3, 4], 0, [])


async def test_what_is_lost_is_logged_and_counted(
    endings: Endings,
    lost: list[tuple[str, int]],
    log: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After its time, or where too many wait, or at the end of the service."""
    monkeypatch.setattr(endings_module, "PATIENCE_S", 0)
    endings.add(Storage(fails=99).ending(7))
    await asyncio.sleep(0.05)
    assert lost == [("pages", 7)]
    monkeypatch.setattr(endings_module, "PATIENCE_S", 60)
    monkeypatch.setattr(endings_module, "MOST_WAITING", 2)
    for number in (1, 2, 3):
        endings.add(Storage(fails=99).ending(number))
    assert lost == [("pages", 7), ("pages", 3)]
    await endings.aclose(0.05)
    assert lost == [("pages", 7), ("pages", 3), ("pages", 1), ("pages", 2)]
    lines = [json.loads(line) for line in log]
    assert {(line["event"], line["what"]) for line in lines} == {("limit_not_given_back", "pages")}
    assert [(line["amount"], line["error"]) for line in lines] == [
        (7, "ConnectionError"),
        (3, "TooManyWaiting"),
        (1, "Stopped"),
        (2, "Stopped"),
    ]


async def test_a_storage_that_hangs_is_asked_again(log: list[str]) -> None:
    """Each attempt waits no longer than a request does."""
    hung = asyncio.Event()
    attempts = 0

    async def end() -> None:
        nonlocal attempts
        attempts += 1
        if attempts < 3:
            await hung.wait()

    endings = Endings(wait_s=0.02, write=log.append)
    endings.add(Ending("leases", 1, end))
    await endings.aclose(30)
    assert (attempts, log) == (3, [])
