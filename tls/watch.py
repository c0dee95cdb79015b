"""Files that are replaced while they are in use."""

import asyncio
import os
from collections.abc import Callable, Iterable

Stamp = tuple[str, int, int, int] | None


class FileWatch:
    """Tells when files have changed and rested.

    Several files can't be replaced in one step, and few programs write one in one step: so a
    change is told once the next look finds the files as the last one did.
    """

    def __init__(self, files: Callable[[], Iterable[str]]) -> None:
        self._files = files
        self._seen = self._taken = self._stamps()

    def changed(self) -> bool:
        """Whether the files are others than the ones taken last; takes them."""
        stamps = self._stamps()
        rested, self._seen = stamps == self._seen, stamps
        if not rested or stamps == self._taken:
            return False
        self._taken = stamps
        return True

    @property
    def settled(self) -> bool:
        """Whether the last look found nothing new."""
        return self._seen == self._taken

    def take(self) -> None:
        """Take the files as they are, for somebody who knows that they are complete."""
        self._seen = self._taken = self._stamps()

    def _stamps(self) -> tuple[Stamp, ...]:
        """Take down what changes when a file does, a renamed or re-linked one included."""
        return tuple(_stamp(file) for file in self._files())


def _stamp(file: str) -> Stamp:
    try:
        status = os.stat(file)  # noqa: PTH116 - called every second for life
    except OSError:
        return None
    return file, status.st_mtime_ns, status.st_ino, status.st_size


def every(interval_s: float, look: Callable[[], None]) -> None:
    """Call `look` again and again on the running loop, for as long as that runs."""

    def again() -> None:
        every(interval_s, look)  # first: an error in one look must not be the end of all
        look()

    asyncio.get_running_loop().call_later(interval_s, again)
