"""How far a run is: files and pages, pages a second, and the time that is left."""

import time
from collections import deque
from dataclasses import dataclass, field

WINDOW_S = 30.0
"""The time over which pages a second are counted."""


@dataclass
class Tally:
    """Counts of a run. `files` is how many there are; None while they are being counted."""

    files: int | None = None
    files_done: int = 0
    pages_known: int = 0
    pages_done: int = 0
    workers: int = 0
    threads: int = 0
    _times: deque[float] = field(default_factory=deque)
    _opened: int = 0
    _began: float = field(default_factory=time.monotonic)

    def known(self, pages: int) -> None:
        """Count pages that are to be read."""
        self.pages_known += pages

    def page(self) -> None:
        """Count a page that has been read."""
        self.pages_done += 1
        self._times.append(time.monotonic())

    def opened(self) -> None:
        """Count a file whose pages are being read."""
        self._opened += 1

    @property
    def pages_per_s(self) -> float:
        """How many pages were read a second, lately."""
        now = time.monotonic()
        while self._times and self._times[0] < now - WINDOW_S:
            self._times.popleft()
        return len(self._times) / max(1.0, min(WINDOW_S, now - self._began))

    @property
    def left_s(self) -> float | None:
        """The seconds that are left, if files that were not opened have as many pages as others."""
        rate = self.pages_per_s
        if self.files is None or not rate or not self._opened:
            return None
        unopened = self.files - self.files_done
        mean = max(1.0, self.pages_known / self._opened)
        ahead = max(self.pages_known - self.pages_done, unopened * mean)
        return ahead / rate

    def __str__(self) -> str:
        files = f" of {self.files:,}" if self.files is not None else ""
        nodes = f"{self.workers} node{'s' * (self.workers != 1)}"
        left = f", {_duration(self.left_s)} left" if self.left_s is not None else ""
        return (
            f"{self.pages_done:,} of {self.pages_known:,} known pages, {self.files_done:,}{files} "
            f"files, {self.pages_per_s:.1f} pages/s, {nodes}{left}"
        )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes > 1 else f"{minutes * 60 + rest} s"
