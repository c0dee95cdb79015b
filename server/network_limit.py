"""Limits per subnet: open connections, new connections a second, and shared HTTP/2 frames."""

import time
from collections.abc import Callable
from dataclasses import dataclass

CONNECTION_BURST_S = 5
"""New connections are limited by the second, with a burst of so many seconds' worth."""

FRAME_BURST_S = 10
"""Frames are limited by the second, with a burst of so many seconds' worth."""

FULL_BUDGETS = 10
"""How many connections of a subnet may have a full budget of frames at a time."""

SWEEP_S = 10


@dataclass(slots=True)
class _Subnet:
    open: int
    connections: float  # that may be opened now
    frames: float  # that may be consumed now
    refilled_at: float


class NetworkLimit:
    """Prevents a single subnet from taking all connections, or the processor, by reconnecting.

    A connection costs its client next to nothing, and the server a TLS handshake. A subnet has at
    most `max_connections` open, and opens `new_per_s` a second. `frames_per_s` is what one
    connection may send beside requests and bodies, and what its subnet must have left of what its
    connections share for it to be accepted. `subnet_of` returns the subnet of an address; None
    for addresses that are not counted: proxies, which connect for all clients.
    """

    def __init__(
        self,
        *,
        max_connections: int,
        new_per_s: float,
        frames_per_s: float,
        subnet_of: Callable[[str], str | None],
    ) -> None:
        self._max_connections = max_connections
        self._new_per_s = new_per_s
        self._connection_burst = new_per_s * CONNECTION_BURST_S
        self._frames_to_connect = frames_per_s
        self._frames_per_s = frames_per_s * FULL_BUDGETS
        self._frame_burst = self._frames_per_s * FRAME_BURST_S
        self._subnet_of = subnet_of
        self._subnets: dict[str, _Subnet] = {}
        self._swept_at = time.monotonic()

    def admit(self, address: str) -> bool:
        """Return whether a new connection is admitted; count it only then."""
        subnet = self._find(address)
        if subnet is None:
            return True
        exhausted = subnet.connections < 1 or subnet.frames < self._frames_to_connect
        if exhausted or subnet.open >= self._max_connections:
            return False
        subnet.open += 1
        subnet.connections -= 1
        return True

    def release(self, address: str) -> None:
        """Stop counting a connection that was admitted."""
        subnet = self._find(address)
        if subnet is not None:
            subnet.open -= 1

    def consume(self, address: str, frames: float) -> float:
        """Return how many of `frames` a connection gets from what its subnet shares.

        What it has sent beyond that is a debt of the subnet, of ten seconds at most.
        """
        subnet = self._find(address)
        if subnet is None:
            return frames
        granted = min(frames, max(0, subnet.frames))
        subnet.frames = max(-self._frame_burst, subnet.frames - frames)
        return granted

    def _find(self, address: str) -> _Subnet | None:
        name = self._subnet_of(address)
        if name is None:
            return None
        now = time.monotonic()
        if now - self._swept_at > SWEEP_S:
            self._sweep(now)
        subnet = self._subnets.get(name)
        if subnet is None:
            subnet = _Subnet(0, self._connection_burst, self._frame_burst, now)
            self._subnets[name] = subnet
        self._refill(subnet, now)
        return subnet

    def _refill(self, subnet: _Subnet, now: float) -> None:
        passed, subnet.refilled_at = now - subnet.refilled_at, now
        connections = subnet.connections + passed * self._new_per_s
        subnet.connections = min(self._connection_burst, connections)
        subnet.frames = min(self._frame_burst, subnet.frames + passed * self._frames_per_s)

    def _sweep(self, now: float) -> None:
        """Forget subnets that have nothing open and their full budget."""
        self._swept_at = now
        for name, subnet in list(self._subnets.items()):
            self._refill(subnet, now)
            full = (
                subnet.connections == self._connection_burst and subnet.frames == self._frame_burst
            )
            if not subnet.open and full:
                del self._subnets[name]
