"""A page in progress: how many processors it needs, and whether its engine is paused."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Protocol

# A page may be paused for so long, and as long as it has been read. So callers that go before it,
# however many, make its reading at most twice as long and half a second.
PAUSE_S = 0.5
MIN_PAUSE_S = 0.2  # a page with less left is not paused: it would stop and go
PRECEDENCE_S = 10.0  # after which a page has no precedence any more: it may be stuck
Share = Callable[["PageInProgress", int], int]


class Pausable(Protocol):
    """A process that can be stopped, and goes on where it was."""

    def pause(self) -> None:
        """Stop it."""

    def resume(self) -> None:
        """Let it go on."""


class PageInProgress:
    """A page that is decoded, waits for an engine or is read; it needs `threads` processors."""

    def __init__(self, caller: str, share: Share, arrange: Callable[[], object]) -> None:
        """Need one processor for now; `arrange` is called after each change.

        `share` returns how many threads the page gets of those that it may have.
        """
        self._share = share
        self._arrange = arrange
        self.caller = caller
        self.threads = 1
        self._began = time.monotonic()
        self.leased = False
        self.paused = False
        self._engine: Pausable | None = None
        self._since = 0.0  # when it was paused or went on
        self._before_s = 0.0  # for which it had been read then
        self._paused_s = 0.0

    @property
    def paused_s(self) -> float:
        """For how long its engine has been paused."""
        return self._paused_s + (time.monotonic() - self._since if self.paused else 0)

    @property
    def read_s(self) -> float:
        """For how long its engine has not been paused."""
        return self._before_s + (0 if self.paused else time.monotonic() - self._since)

    @property
    def pause_left_s(self) -> float:
        """For how long its engine may still be paused."""
        return PAUSE_S + self.read_s - self.paused_s

    @property
    def may_pause(self) -> bool:
        """Whether its engine may be paused, or stay so."""
        if self._engine is None:
            return False
        return self.pause_left_s > (0 if self.paused else MIN_PAUSE_S)

    @property
    def precedence_left_s(self) -> float:
        """For how long others may be paused for it."""
        return self._began + PRECEDENCE_S - time.monotonic()

    @property
    def precedes(self) -> bool:
        """Whether others may be paused for it now."""
        return self.threads > 0 and self.precedence_left_s > 0

    def waits(self) -> None:
        """Note that it needs no processor until it has an engine."""
        self._needs(0)

    def has_engine(self) -> None:
        """Note that an engine is kept for it, which may have to start."""
        self.leased = True
        self._needs(1)

    @contextlib.contextmanager
    def reading(self, engine: Pausable, most: int) -> Iterator[int]:
        """Let other pages pause this engine; return how many threads it gets, at most `most`."""
        self._engine, self._since = engine, time.monotonic()
        self._needs(self._share(self, most))
        try:
            yield self.threads
        finally:
            self.run(runs=True)
            self._engine = None
            self._needs(0)

    def run(self, *, runs: bool) -> None:
        """Pause its engine, or let it go on."""
        if self._engine is None or self.paused is not runs:
            return
        now = time.monotonic()
        if runs:
            self._paused_s += now - self._since
            self._engine.resume()
        else:
            self._before_s += now - self._since
            self._engine.pause()
        self.paused, self._since = not runs, now

    def _needs(self, threads: int) -> None:
        self.threads = threads
        self._arrange()
