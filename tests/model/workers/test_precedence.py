"""Pages of callers with many requests pause for those of callers with few, for a bounded time."""

import asyncio
import contextlib
import os
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from model.workers import neighbours, page_progress
from model.workers.neighbours import Neighbours
from model.workers.page_progress import PageInProgress
from model.workers.precedence import Precedence
from tests.model.processes import until

pytestmark = pytest.mark.anyio


class Engine:
    """Notes whether it is paused."""

    paused = False

    def pause(self) -> None:
        """Note it."""
        self.paused = True

    def resume(self) -> None:
        """Note it."""
        self.paused = False


class Pages:
    """Pages that are being read, and the requests of their callers."""

    def __init__(
        self, requests: dict[str, int], processors: int = 2, other: Neighbours | None = None
    ) -> None:
        self.requests = Counter(requests)
        self.precedence = Precedence(lambda: self.requests, other, processors=processors)
        self.stack = contextlib.ExitStack()

    def decoding(self, caller: str) -> PageInProgress:
        """Return a page that is being decoded."""
        return self.stack.enter_context(self.precedence.page(caller))

    def reading(self, caller: str, threads: int = 2) -> PageInProgress:
        """Return a page that is being read, in at most so many threads."""
        page = self.decoding(caller)
        page.waits()
        page.has_engine()
        self.stack.enter_context(page.reading(Engine(), threads))
        return page


@pytest.fixture
def pages() -> Iterator[Pages]:
    """Return a flood of eight requests, another caller's single one, and two processors."""
    made = Pages({"flood": 8, "one": 1})
    yield made
    made.stack.close()
    made.precedence.close()


async def test_the_flood_pauses_for_a_caller_with_fewer_requests(pages: Pages) -> None:
    """And goes on when that page has been read, which has all processors as long."""
    flood = [pages.reading("flood") for _ in range(2)]
    assert [page.threads for page in flood] == [2, 1]
    with pages.precedence.page("one") as one:  # decoding takes one processor of the two
        assert [page.paused for page in flood] == [True, False]
        one.waits()
        assert not any(page.paused for page in flood)
        one.has_engine()
        with one.reading(Engine(), 2) as threads:
            assert threads == 2
            assert [page.paused for page in flood] == [True, True]
            assert pages.precedence.paused == 2
            assert pages.reading("flood").paused  # also one that begins now
        assert pages.precedence.paused == 0


@pytest.mark.parametrize("requests", [7, 8, 9])
async def test_only_for_a_caller_with_fewer(pages: Pages, requests: int) -> None:
    """Control: of two callers with as many requests each, nobody pauses."""
    pages.requests["one"] = requests
    flood = [pages.reading("flood", threads=1), pages.reading("flood", threads=1)]
    one = pages.reading("one")
    assert [page.paused for page in [*flood, one]] == [requests < 8] * 2 + [requests > 8]
    assert one.threads == (2 if requests < 8 else 1)


async def test_no_more_pages_pause_than_need_to() -> None:
    """Of eight pages on eight processors, two make room for a page with two threads."""
    pages = Pages({"flood": 9, "one": 1}, processors=8)
    with pages.stack:
        flood = [pages.reading("flood", threads=1) for _ in range(8)]
        assert pages.precedence.paused == 0
        pages.reading("one", threads=2)
        assert [page.paused for page in flood] == [False] * 6 + [True] * 2
        pages.reading("one", threads=2)
        assert [page.paused for page in flood] == [False] * 4 + [True] * 4
    pages.precedence.close()


async def test_a_page_is_not_paused_for_ever(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many callers with few requests come one after the other.

    Control: with more time than the test takes, it is paused to the end.
    """
    monkeypatch.setattr(page_progress, "PAUSE_S", 0.3)
    flood = pages.reading("flood")
    latest_s = 0.0
    while min(flood.paused_s - 0.3, flood.read_s) < 0.2:
        began = time.monotonic()
        pages.requests[str(began)] = 1
        with pages.precedence.page(str(began)) as page, page.reading(Engine(), 2):
            await asyncio.sleep(0.02)
        latest_s = max(latest_s, time.monotonic() - began)  # a pause may end that much late
        assert flood.paused_s < 0.3 + flood.read_s + latest_s + 0.01
    monkeypatch.setattr(page_progress, "PAUSE_S", 60)
    pages.reading("one")
    await asyncio.sleep(0.4)
    assert flood.paused


async def test_a_page_has_precedence_for_a_bounded_time(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that does not end stops nobody for longer."""
    flood = pages.reading("flood")
    monkeypatch.setattr(page_progress, "PAUSE_S", 60)
    monkeypatch.setattr(page_progress, "PRECEDENCE_S", 0.5)
    one = pages.reading("one")
    assert flood.paused
    await until(lambda: not flood.paused)
    assert one.threads == 2


async def test_the_pages_of_another_process_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller with few requests in one process goes before the flood in another one.

    Control: processes of two services know nothing of each other.
    """
    monkeypatch.setattr(page_progress, "PAUSE_S", 60)
    group = f"test-{os.getpid()}-{time.monotonic_ns()}"
    first = Pages({"flood": 1}, other=Neighbours(group, 2))
    second = Pages({"one": 1, "flood": 7}, other=Neighbours(group, 2))
    stranger = Pages({"flood": 1}, other=Neighbours(group + "-other", 2))
    flood, elsewhere = first.reading("flood"), stranger.reading("flood")
    here = second.reading("flood")
    assert not here.paused
    one = second.reading("one")
    await until(lambda: flood.paused)
    assert here.paused
    assert not one.paused
    assert not elsewhere.paused
    second.requests["one"] = 20
    second.precedence.arrange()
    await until(lambda: not flood.paused)
    assert one.paused
    second.requests["one"] = 1
    second.precedence.arrange()
    await until(lambda: flood.paused)
    monkeypatch.setattr(neighbours, "FORGET_S", 0)  # as if the other had ended long ago
    await until(lambda: not flood.paused)
    for each in (second, first, stranger):
        each.stack.close()
        each.precedence.close()
