"""Whose request begins next: one at each turn of the event loop, networks one after another."""

import asyncio
from collections import deque
from collections.abc import Callable


class FairQueue:
    """Lets a network's next request wait for no more than one of each other network.

    A request costs its sender a few bytes and us half a millisecond of the one thread that serves
    everybody. Who asks for a thousand things at once is served nearly as fast as ever, but who asks
    for one meanwhile is served next. `subnet_of` names the network of an address; all that come
    through proxies are one. A request that is taken back before its turn has never begun: neither
    the log nor a limit sees it, and its deadlines begin with its turn. For a single event loop.
    """

    def __init__(self, subnet_of: Callable[[str], str | None]) -> None:
        self._network_of = subnet_of
        self._waiting: dict[str | None, deque[asyncio.Future[None]]] = {}
        self._taken = False

    async def take(self, client: tuple[str, int] | None) -> None:
        """Wait until it is this client's turn: not at all, where nobody has had this one."""
        if not self._taken:
            self._take()
            return
        network = self._network_of(client[0]) if client else None
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(network, deque()).append(turn)
        await turn

    def _take(self) -> None:
        self._taken = True
        asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        """Begin a new turn, with the network that has waited longest for one."""
        self._taken = False
        while self._waiting and not self._taken:
            network = next(iter(self._waiting))
            queue = self._waiting.pop(network)
            turn = queue.popleft()
            if queue:
                self._waiting[network] = queue  # at the end of the line
            if not turn.done():  # as it is where a request has been taken back meanwhile
                turn.set_result(None)
                self._take()
