"""What an HTTP/2 client may send beside requests and bodies, counted before it is parsed."""

import time
from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import Final

from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError

PREFACE_BYTES = 24
HEAD_BYTES = 9
FRAMES_IN_ONE_TURN = 8
REQUEST_WEIGHS = 8
"""How many frames of a connection are handled before others have their turn, and how many of them a
request stands for: a read of 64 KiB can hold four thousand requests or seven thousand PINGs."""

BURST_S = 10
SMALL_BYTES = 256
BYTES_A_FRAME = 4096
"""What we send earns a frame for each so many bytes: its windows have to be opened again."""


class Kind(IntEnum):
    """The kinds of frames that are told apart (RFC 9113, section 6)."""

    DATA = 0
    HEADERS = 1
    RST_STREAM = 3
    SETTINGS = 4
    CONTINUATION = 9


LEAST = 30
"""What a connection may send beside what its network shares: the frames that open it, and more."""

REQUEST_EARNS = 2
FIELDS = 40
FIELDS_A_FRAME = 8
"""Fields of a request beyond what clients send cost a frame for each so many."""
WAITING_A_FRAME = 8
"""A window of all answers costs a frame for each so many that wait: each is looked at."""
RESET_COSTS: Final = 10
CUT_OFF_COSTS: Final = 100
"""A connection that has to be ended was a handshake, at the least."""

SETTINGS_COST = 10
"""SETTINGS may change the window of every stream."""


class ProtocolAbuse(ProtocolError):
    """A client sends more frames, or a longer head, than anything could be meant by."""

    error_code = ErrorCodes.ENHANCE_YOUR_CALM


class FrameBudget:
    """Frames that ask for work and carry nothing: so many a second, ten seconds' worth at once.

    PING, SETTINGS, RST_STREAM, PRIORITY, WINDOW_UPDATE, bodies in crumbs, heads in crumbs: each
    costs its sender next to nothing and us a parser's time (CVE-2019-9511 to 9518,
    CVE-2023-44487, CVE-2025-8671). A request earns what may come along with it. `draw` gives what
    is left of so many frames to the connection's network: another connection is no other budget.
    """

    def __init__(
        self,
        frames_per_s: float,
        head_bytes: int,
        draw: Callable[[float], float] = lambda frames: frames,
    ) -> None:
        self._per_s = frames_per_s
        self._most = frames_per_s * BURST_S
        self._draw = draw
        self._left = self._most
        self._free: float = LEAST
        self._head_bytes = head_bytes
        self._at = time.monotonic()
        self._skip = PREFACE_BYTES
        self._begun = b""  # of a frame's head
        self._block = 0  # bytes of the request's head that is coming

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Cut what came from the socket into turns of a few frames each.

        Raises: ProtocolAbuse, before the piece that is too much.
        """
        self._refill()
        start = len(self._begun)  # the beginning of a frame's head has been handed on already
        data = self._begun + data
        at, weight = self._skip, 0
        while at + HEAD_BYTES <= len(data):
            length, kind = int.from_bytes(data[at : at + 3]), data[at + 3]
            self._count(kind, length)
            at += HEAD_BYTES + length
            weight += REQUEST_WEIGHS if kind == Kind.HEADERS else 1
            if weight >= FRAMES_IN_ONE_TURN and at < len(data):
                yield data[start:at]
                start, weight = at, 0
        self._begun = data[at:]
        self._skip = max(0, at - len(data))
        yield data[start:]

    def spend(self, cost: float) -> None:
        """Take something off the budget.

        Raises: ProtocolAbuse where nothing is left.
        """
        self._left -= cost
        free = min(self._free, cost)
        self._free -= free
        shared = cost - free
        if self._left < 0 or self._draw(shared) < shared:
            raise ProtocolAbuse("too many frames that ask for work and carry nothing")

    def earn(self, sent_bytes: int) -> None:
        """Let a client open its windows again for what we have sent it."""
        self._earn(sent_bytes / BYTES_A_FRAME)

    def _earn(self, frames: float) -> None:
        self._left = min(self._most, self._left + frames)
        self._free = min(self._most, self._free + frames)

    def _refill(self) -> None:
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._at) * self._per_s)
        self._at = now

    def _count(self, kind: int, length: int) -> None:
        match kind:
            case Kind.HEADERS:
                self._block = length
                self._earn(REQUEST_EARNS)
            case Kind.CONTINUATION:
                self._block += length
                self.spend(1)
            case Kind.DATA:
                self.spend(1 if length < SMALL_BYTES else 0)
            case Kind.RST_STREAM:
                self.spend(RESET_COSTS)
            case Kind.SETTINGS:
                self.spend(SETTINGS_COST)
            case _:
                self.spend(1)
        if self._block > self._head_bytes:
            raise ProtocolAbuse("a request's head that is too long")
