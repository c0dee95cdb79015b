"""Which request starts next: one in each iteration of the event loop, subnets in turn."""

import asyncio
from collections import deque
from collections.abc import Callable


class FairQueue:
    """Makes a subnet's next request wait for at most one request of each other subnet.

    A request costs its client a few bytes, and the server half a millisecond of the one thread
    that serves all clients. A client with a thousand requests is served nearly as fast as without
    the queue, but a client with one request is served in between. `subnet_of` returns the subnet of
    an address; all clients of proxies are one subnet. A request cancelled in the queue has never
    started: it is in no log and counts for no limit, and deadlines begin after the queue. For a
    single event loop.
    """

    def __init__(self, subnet_of: Callable[[str], str | None]) -> None:
        self._subnet_of = subnet_of
        self._waiting: dict[str | None, deque[asyncio.Future[None]]] = {}
        self._acquired = False

    async def acquire(self, client: tuple[str, int] | None) -> None:
        """Wait until this client's request may start; at once if none has in this iteration."""
        if not self._acquired:
            self._acquire()
            return
        subnet = self._subnet_of(client[0]) if client else None
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(subnet, deque()).append(turn)
        await turn

    def _acquire(self) -> None:
        self._acquired = True
        asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        """Start a request of the subnet that has waited longest for its turn."""
        self._acquired = False
        while self._waiting and not self._acquired:
            subnet = next(iter(self._waiting))
            queue = self._waiting.pop(subnet)
            turn = queue.popleft()
            if queue:
                self._waiting[subnet] = queue  # at the end
            if not turn.done():  # it is done if the request was cancelled meanwhile
                turn.set_result(None)
                self._acquire()
