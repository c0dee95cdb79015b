"""What a simulation is made of: the time, places that are waited for, cores that are shared."""

import heapq
from collections import deque
from collections.abc import Callable, Iterable
from itertools import count

Then = Callable[[], None]


class Clock:
    """The simulated time, and what happens when."""

    def __init__(self) -> None:
        self.now = 0.0
        self._events: list[tuple[float, int, Then]] = []
        self._order = count()

    def at(self, when: float, then: Then) -> None:
        """Let something happen."""
        heapq.heappush(self._events, (when, next(self._order), then))

    def run(self, arrivals: Iterable[float], arrive: Then) -> None:
        """Let the requests arrive, and all that follows happen."""
        for when in arrivals:
            while self._events and self._events[0][0] <= when:
                self.now, _, then = heapq.heappop(self._events)
                then()
            self.now = when
            arrive()
        while self._events:
            self.now, _, then = heapq.heappop(self._events)
            then()


class Places:
    """So many at a time; the others wait in order."""

    def __init__(self, free: int) -> None:
        self._free = free
        self._waiting: deque[Then] = deque()

    def take(self, then: Then) -> None:
        """Go on once there is a place."""
        if self._free:
            self._free -= 1
            then()
        else:
            self._waiting.append(then)

    def leave(self) -> None:
        """Give a place to the next one."""
        if self._waiting:
            self._waiting.popleft()()
        else:
            self._free += 1


class Cores:
    """Cores that are shared equally between the tasks that run; none gets more than one core."""

    def __init__(self, clock: Clock, cores: float) -> None:
        self._clock, self._cores = clock, cores
        self._tasks: list[tuple[float, int, Then]] = []
        self._order = count()
        self._given_s = self._changed_at = 0.0  # to each task since the start; and until when
        self._plan = 0
        self.used_s = 0.0

    def __len__(self) -> int:
        """Return how many tasks there are."""
        return len(self._tasks)

    def run(self, seconds: float, then: Then) -> None:
        """Run a task that needs so many processor seconds."""
        self._advance()
        heapq.heappush(self._tasks, (self._given_s + seconds, next(self._order), then))
        self._schedule()

    def used(self) -> float:
        """Return the processor seconds that have been used until now."""
        self._advance()
        return self.used_s

    def _speed(self) -> float:
        return min(1.0, self._cores / len(self._tasks))

    def _advance(self) -> None:
        if self._tasks:
            given_s = (self._clock.now - self._changed_at) * self._speed()
            self._given_s += given_s
            self.used_s += given_s * len(self._tasks)
        self._changed_at = self._clock.now

    def _schedule(self) -> None:
        self._plan += 1
        if self._tasks:
            left_s = max(0.0, self._tasks[0][0] - self._given_s)
            plan = self._plan
            self._clock.at(self._clock.now + left_s / self._speed(), lambda: self._finish(plan))

    def _finish(self, plan: int) -> None:
        if plan != self._plan:  # another task has come since
            return
        self._advance()
        _, _, then = heapq.heappop(self._tasks)
        self._schedule()
        then()
