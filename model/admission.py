"""Admission: limits the requests that are read or wait, and shares that limit between callers."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator


class Full(Exception):
    """All tickets are taken, and giving one to this caller would not be fairer."""


class Ticket:
    """An admitted request."""

    def __init__(self, caller: str) -> None:
        self.caller = caller
        self.started = False  # once its first page is decoded, it is not evicted any more
        self.evicted = False
        self._task = asyncio.current_task()

    def evict(self) -> None:
        """Raise Full from `Admission.ticket` in the task that holds this ticket."""
        self.evicted = True
        if self._task is not None:
            self._task.cancel()

    def cancelled_by_eviction(self) -> bool:
        """Return whether the eviction is the only reason why its task is cancelled."""
        return self.evicted and (self._task is None or self._task.uncancel() == 0)


class Admission:
    """Admits `size` requests at a time, and refuses the others without a wait.

    When all tickets are taken, a caller who holds few gets the ticket of the newest request that
    has not been started, of the caller who holds most.
    Source: McKenney, Stochastic Fairness Queueing, 1990 (drop from the longest queue).
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._tickets: list[Ticket] = []  # oldest first

    def __len__(self) -> int:
        """Return the number of admitted requests."""
        return len(self._tickets)

    def by_caller(self) -> Counter[str]:
        """Return the number of admitted requests of each caller."""
        return Counter(ticket.caller for ticket in self._tickets)

    @contextlib.contextmanager
    def ticket(self, caller: str) -> Iterator[Ticket]:
        """Hold a ticket.

        Raises:
            Full: there is none, or this one has been given to another caller.

        """
        if len(self._tickets) >= self.size:
            self._evict_for(caller)
        ticket = Ticket(caller)
        self._tickets.append(ticket)
        try:
            yield ticket
        except asyncio.CancelledError:
            if ticket.cancelled_by_eviction():
                raise Full from None
            raise
        finally:
            if not ticket.evicted:
                self._tickets.remove(ticket)

    def _evict_for(self, caller: str) -> None:
        """Evict a request of a caller who holds more tickets.

        Raises:
            Full: no caller holds at least two tickets more, or all their requests are started.

        """
        counts = self.by_caller()
        most = max(counts.values())
        if most > counts[caller] + 1:
            for ticket in reversed(self._tickets):
                if counts[ticket.caller] == most and not ticket.started:
                    self._tickets.remove(ticket)
                    ticket.evict()
                    return
        raise Full
