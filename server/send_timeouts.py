"""Answers that an HTTP/2 client gives no window for."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

ENOUGH_BYTES = 16_384
"""Who takes up so much of an answer in the time given has taken what a read holds."""


@dataclass(slots=True)
class SendTimeout:
    """An answer that waits: when its client's time is up, and what it has taken so far."""

    deadline: asyncio.TimerHandle
    taken: int = 0


class SendTimeouts:
    """The answers of a connection that have been waiting for room.

    A client that asks and gives no window, or a byte of it now and then (CVE-2019-9511, 9517),
    would hold request, task and answer for ever: a refusal has no deadline of its own.
    """

    def __init__(self, timeout_s: float, give_up: Callable[[int], None]) -> None:
        self._timeout_s = timeout_s
        self._give_up = give_up
        self._stalls: dict[int, SendTimeout] = {}
        self._stopped = False

    def note(self, stream_id: int, taken: int, left: int) -> None:
        """Note how much of an answer its client has taken now, and how much waits."""
        stall = self._stalls.get(stream_id)
        if stall is not None:
            stall.taken += taken
            if left and stall.taken < ENOUGH_BYTES:
                return
            self._end(stream_id)
        if left and not self._stopped:  # a task may still be sending when its connection is gone
            loop = asyncio.get_running_loop()
            deadline = loop.call_later(self._timeout_s, self._over, stream_id)
            self._stalls[stream_id] = SendTimeout(deadline)

    def stop_all(self) -> None:
        """Forget everything: the connection is gone."""
        self._stopped = True
        for stream_id in list(self._stalls):
            self._end(stream_id)

    def _end(self, stream_id: int) -> None:
        stall = self._stalls.pop(stream_id, None)
        if stall is not None:
            stall.deadline.cancel()

    def _over(self, stream_id: int) -> None:
        del self._stalls[stream_id]
        self._give_up(stream_id)
