"""Who may read or wait: so many requests at a time, and nobody all of them while others come."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator


class Full(Exception):
    """There is no room; told at once."""


class Ticket:
    """A request that has been let in."""

    def __init__(self, caller: str) -> None:
        self.caller = caller
        self.served = False  # from its first page on it is not sent away any more
        self.evicted = False
        self._task = asyncio.current_task()

    def send_away(self) -> None:
        """Have its `Admission.ticket` raise Full at whatever it awaits."""
        self.evicted = True
        if self._task is not None:
            self._task.cancel()

    def was_sent_away(self) -> bool:
        """Tell whether it is our doing, and nobody else's, that its task was cancelled."""
        return self.evicted and (self._task is None or self._task.uncancel() == 0)


class Admission:
    """Lets in `size` requests at a time.

    When all are in, one of a caller with fewer in takes the place of the newest that waits of the
    caller with most. Source: McKenney, Stochastic Fairness Queueing, 1990 (drop from the longest).
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._tickets: list[Ticket] = []  # in the order they came

    def __len__(self) -> int:
        """How many are in."""
        return len(self._tickets)

    @contextlib.contextmanager
    def ticket(self, caller: str) -> Iterator[Ticket]:
        """Let one in. Raises Full, at once or while it waits."""
        if len(self._tickets) >= self._size:
            self._make_room(caller)
        ticket = Ticket(caller)
        self._tickets.append(ticket)
        try:
            yield ticket
        except asyncio.CancelledError:
            if ticket.was_sent_away():
                raise Full from None
            raise
        finally:
            if not ticket.evicted:
                self._tickets.remove(ticket)

    def _make_room(self, caller: str) -> None:
        """Send one away for a caller with fewer. Raises Full where that would not be fairer."""
        counts = Counter(ticket.caller for ticket in self._tickets)
        most = max(counts.values())
        if most > counts[caller] + 1:
            for ticket in reversed(self._tickets):
                if counts[ticket.caller] == most and not ticket.served:
                    self._tickets.remove(ticket)
                    ticket.send_away()
                    return
        raise Full
