"""Which pages run: those of callers with many requests pause for those of callers with few."""

import asyncio
import contextlib
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from model.sizing import this_machine
from model.workers.neighbours import TELL_S, NeighbourPage, Neighbours
from model.workers.page_progress import PageInProgress


@dataclass(frozen=True, slots=True)
class _Place:
    """A page among those of all serving processes."""

    requests: int  # of its caller, under way in all serving processes
    order: tuple[int, int]
    threads: int
    precedes: bool
    page: PageInProgress | None  # None: another process has it


class Precedence:
    """Decides which engines run while the processors are not enough for all pages.

    The pages of the callers with the fewest requests run. Of the others as many run as the
    processors that these leave are enough for; the rest are paused, for a bounded time each.
    """

    def __init__(
        self,
        requests: Callable[[], Counter[str]],
        neighbours: Neighbours | None = None,
        *,
        processors: int | None = None,
    ) -> None:
        """Start with no page; `requests` returns the admitted requests of each caller here.

        `neighbours` are the other serving processes of this service, `processors` those of this
        machine.
        """
        self._processors = this_machine().processors if processors is None else processors
        self._requests = requests
        self._neighbours = neighbours
        self._pages: list[PageInProgress] = []
        self._timer: asyncio.TimerHandle | None = None

    @property
    def paused(self) -> int:
        """The number of pages that are paused."""
        return sum(page.paused for page in self._pages)

    @contextlib.contextmanager
    def page(self, caller: str) -> Iterator[PageInProgress]:
        """Count a page that needs one processor for now."""
        if self._neighbours is not None:
            self._neighbours.open(self.arrange)
        page = PageInProgress(caller, self.share, self.arrange)
        self._pages.append(page)
        self.arrange()
        try:
            yield page
        finally:
            self._pages.remove(page)
            self.arrange()

    def share(self, page: PageInProgress, most: int) -> int:
        """Return the threads for a page: those that go after it get no part of the processors."""
        requests = self._requests_everywhere()
        own = requests[page.caller]
        beside = sum(each.leased and requests[each.caller] <= own for each in self._pages)
        return max(1, min(most, self._processors // max(1, beside)))

    def arrange(self) -> None:
        """Pause engines and let others go on, as it is right now."""
        if self._neighbours is not None:
            self._neighbours.tell([self._as_told(page) for page in self._pages])
        places = self._places()
        fewest = min((each.requests for each in places if each.precedes), default=math.inf)
        used = 0
        for place in places:
            page = place.page
            runs = place.requests <= fewest or used + place.threads <= self._processors
            if page is not None:
                runs = runs or not page.may_pause
                page.run(runs=runs)
            used += place.threads if runs else 0
        self._look_again()

    def close(self) -> None:
        """Stop talking to the other serving processes."""
        if self._timer is not None:
            self._timer.cancel()
        if self._neighbours is not None:
            self._neighbours.close()

    def _places(self) -> list[_Place]:
        """Return the pages of all serving processes, in the same order in each of them."""
        requests = self._requests_everywhere()
        number = 0 if self._neighbours is None else self._neighbours.number
        places = [
            _Place(requests[page.caller], (number, index), page.threads, page.precedes, page)
            for index, page in enumerate(self._pages)
        ]
        for number, pages in self._told().items():
            places += [
                _Place(requests[page.caller], (number, index), page.threads, page.precedes, None)
                for index, page in enumerate(pages)
            ]
        return sorted(places, key=lambda place: (place.requests, place.order))

    def _requests_everywhere(self) -> Counter[str]:
        """Return the requests of each caller, in all serving processes."""
        requests = Counter(self._requests())
        for pages in self._told().values():
            requests.update({page.caller: page.requests for page in pages})
        return requests

    def _told(self) -> Mapping[int, Sequence[NeighbourPage]]:
        return {} if self._neighbours is None else self._neighbours.pages()

    def _as_told(self, page: PageInProgress) -> NeighbourPage:
        requests = self._requests()[page.caller]
        return NeighbourPage(page.caller, requests, page.threads, page.precedes)

    def _look_again(self) -> None:
        """Arrange again when a pause or a precedence ends, or the neighbours may be gone."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waits = [page.pause_left_s for page in self._pages if page.paused]
        if waits:
            waits += [page.precedence_left_s for page in self._pages if page.precedes]
        if self._neighbours is not None and self._pages:
            waits.append(TELL_S)
        if waits:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.01, min(waits)), self.arrange)
