"""What a storage of counts does, and the plain values that it takes and returns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class StorageFailed(Exception):
    """The storage did not do what it was asked for; the message names the kind of failure."""


@dataclass(frozen=True, slots=True)
class Window:
    """A moving window: at most `limit` requests are counted under `key` in `seconds`."""

    key: str
    limit: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Counted:
    """What became of a request in one window; a request leaves the window in `reset_s`."""

    allowed: bool
    remaining: int
    reset_s: float


@dataclass(frozen=True, slots=True)
class Period:
    """A fixed window: at most `quota` pages are charged under `key` until `ends_at`, Unix time.

    The key names the period; a storage forgets it some time after its end.
    """

    key: str
    quota: int
    ends_at: int


@dataclass(frozen=True, slots=True)
class Charged:
    """The pages charged so far in each period; `exceeded` is the first one without room, if any."""

    used: Sequence[int]
    exceeded: int | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """A request under way: one of at most `limit` under `key`, for `seconds` at the longest."""

    key: str
    id: str
    limit: int
    seconds: int


class Storage(Protocol):
    """Counts, each in one step that no other request comes between.

    `charge`, `give_back`, `lease` and `release` may be repeated with the same id, and may arrive
    in another order than they were sent, as after a connection that broke: what has ended does
    not begin again. Every method may raise StorageFailed.
    """

    async def count(self, windows: Sequence[Window]) -> list[Counted]:
        """Count a request in each window, up to the first one that has no room."""

    async def charge(
        self, charge_id: str, part: int, pages: int, periods: Sequence[Period], *, keep_s: int
    ) -> Charged:
        """Charge pages in all periods, or in none if one has no room.

        A charge has parts, numbered; its pages can be given back for `keep_s` seconds.
        """

    async def give_back(
        self, charge_id: str, pages: int, periods: Sequence[Period], *, keep_s: int
    ) -> Charged:
        """End a charge, and take back so many of its pages."""

    async def lease(self, lease: Lease) -> tuple[bool, int]:
        """Begin a lease if there is room; return whether, and how many are held then."""

    async def release(self, lease: Lease) -> None:
        """End a lease."""

    async def check(self) -> None:
        """Raise StorageFailed unless it counts now."""

    async def aclose(self) -> None:
        """Close its connections."""
