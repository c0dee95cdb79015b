"""Who opens connections: how many each network has, how often it comes, what it may ask at once."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from server.flood_guard import BURST_S

SECONDS_AT_ONCE = 5
"""New connections are counted by the second, so many seconds' worth at once."""

FULL_BUDGETS = 10
"""How many connections of a network may have their whole budget of frames at a time."""

SWEEP_S = 10


@dataclass(slots=True)
class _Network:
    open: int
    entries: float
    frames: float
    at: float


class NetworkLimit:
    """Keeps a single network from taking every place, and the processor, by coming again and again.

    A connection costs its sender next to nothing, and us a handshake. `most` connections
    of one network are open at a time, `per_s` new ones come in a second; `frames_per_s` is what one
    of them may ask beside requests and bodies, and what a network must have left of what its
    connections share for another one to come. `subnet_of` names the network of an address; None
    stands for who is not counted: proxies, which come for everybody.
    """

    def __init__(
        self,
        *,
        most: int,
        per_s: float,
        frames_per_s: float,
        subnet_of: Callable[[str], str | None],
    ) -> None:
        self._most = most
        self._per_s = per_s
        self._entries = per_s * SECONDS_AT_ONCE
        self._frames_to_enter = frames_per_s
        self._frames_per_s = frames_per_s * FULL_BUDGETS
        self._frames = self._frames_per_s * BURST_S
        self._network_of = subnet_of
        self._networks: dict[str, _Network] = {}
        self._swept = time.monotonic()

    def enter(self, address: str) -> bool:
        """Count a new connection; return whether it may stay. One that may not has left already."""
        network = self._of(address)
        if network is None:
            return True
        spent = network.entries < 1 or network.frames < self._frames_to_enter
        if spent or network.open >= self._most:
            return False
        network.open += 1
        network.entries -= 1
        return True

    def leave(self, address: str) -> None:
        """Count a connection no longer."""
        network = self._of(address)
        if network is not None:
            network.open -= 1

    def draw(self, address: str, frames: float) -> float:
        """Return how many frames a connection may have of those its network shares.

        What it has spent beyond them is a debt, of ten seconds at most.
        """
        network = self._of(address)
        if network is None:
            return frames
        drawn = min(frames, max(0, network.frames))
        network.frames = max(-self._frames, network.frames - frames)
        return drawn

    def _of(self, address: str) -> _Network | None:
        name = self._network_of(address)
        if name is None:
            return None
        now = time.monotonic()
        if now - self._swept > SWEEP_S:
            self._sweep(now)
        network = self._networks.get(name)
        if network is None:
            network = self._networks[name] = _Network(0, self._entries, self._frames, now)
        self._refill(network, now)
        return network

    def _refill(self, network: _Network, now: float) -> None:
        passed, network.at = now - network.at, now
        network.entries = min(self._entries, network.entries + passed * self._per_s)
        network.frames = min(self._frames, network.frames + passed * self._frames_per_s)

    def _sweep(self, now: float) -> None:
        """Forget who has nothing open and everything to spend."""
        self._swept = now
        for name, network in list(self._networks.items()):
            self._refill(network, now)
            rested = network.entries == self._entries and network.frames == self._frames
            if not network.open and rested:
                del self._networks[name]
