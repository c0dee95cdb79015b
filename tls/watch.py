"""Polling files for changes, debounced."""

import asyncio
import os
from collections.abc import Callable, Iterable

Stamp = tuple[str, int, int, int] | None


class FileWatch:
    """Reports when files have changed and then stayed the same for one poll (debounce).

    Several files cannot be replaced atomically, and few programs write even one file atomically:
    a change seen by one poll is reported by the next, if the files are still the same.
    """

    def __init__(self, files: Callable[[], Iterable[str]]) -> None:
        self._files = files
        self._last_seen = self._accepted = self._stamps()

    def poll(self) -> bool:
        """Return whether the files differ from those accepted last, debounced; accept them then."""
        stamps = self._stamps()
        stable, self._last_seen = stamps == self._last_seen, stamps
        if not stable or stamps == self._accepted:
            return False
        self._accepted = stamps
        return True

    @property
    def up_to_date(self) -> bool:
        """Whether the last poll saw the accepted files."""
        return self._last_seen == self._accepted

    def accept(self) -> None:
        """Accept the files as they are now, without debouncing."""
        self._last_seen = self._accepted = self._stamps()

    def _stamps(self) -> tuple[Stamp, ...]:
        """Return what changes when a file is written, replaced, renamed or re-linked."""
        return tuple(_stamp(file) for file in self._files())


def _stamp(file: str) -> Stamp:
    try:
        status = os.stat(file)  # noqa: PTH116 - called every second, so the cheapest way
    except OSError:
        return None
    return file, status.st_mtime_ns, status.st_ino, status.st_size


def poll_every(interval_s: float, poll: Callable[[], None]) -> None:
    """Call `poll` every `interval_s` seconds on the running event loop, until the loop ends."""

    def again() -> None:
        poll_every(interval_s, poll)  # first: an error in one poll must not end the polling
        poll()

    asyncio.get_running_loop().call_later(interval_s, again)
