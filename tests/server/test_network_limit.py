"""Limits per subnet."""

import pytest

from server import network_limit
from server.network_limit import (
    CONNECTION_BURST_S,
    FRAME_BURST_S,
    FULL_BUDGETS,
    SWEEP_S,
    NetworkLimit,
)


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Have the module use a clock of the test."""
    found = Clock()
    monkeypatch.setattr(network_limit, "time", found)
    return found


def counted(*, max_connections: int = 100, per_s: float = 2) -> NetworkLimit:
    """Return a limit whose subnets are the first number of an address; 10 is a proxy's."""
    return NetworkLimit(
        max_connections=max_connections,
        new_per_s=per_s,
        frames_per_s=5,
        subnet_of=lambda address: None if address.startswith("10.") else address.split(".")[0],
    )


def test_a_subnet_has_so_many_connections(clock: Clock) -> None:
    """A released connection makes room in its subnet; other subnets have their own limit."""
    assert clock
    found = counted(max_connections=2, per_s=100)
    assert [found.admit("1.1"), found.admit("1.2"), found.admit("1.3")] == [True, True, False]
    assert found.admit("2.1")
    found.release("1.1")
    assert found.admit("1.3")


def test_a_subnet_connects_so_often(clock: Clock) -> None:
    """A burst of some seconds' worth, then by the second."""
    found = counted()
    at_once = [found.admit("1.1") for _ in range(30)].count(True)
    assert at_once == 2 * CONNECTION_BURST_S
    clock.now += 1
    assert [found.admit("1.1") for _ in range(3)] == [True, True, False]


def test_frames_are_shared(clock: Clock) -> None:
    """A subnet's connections share one budget, which is refilled."""
    found = counted()
    drawn = sum(found.consume("1.1", 50) for _ in range(FULL_BUDGETS))
    assert drawn == 50 * FULL_BUDGETS
    assert found.consume("1.1", 0.001) == 0
    assert found.consume("2.1", 50) == 50
    clock.now += 1
    assert found.consume("1.2", 1000) == pytest.approx(5 * FULL_BUDGETS, abs=0.01)


def test_without_frames_no_connection_is_admitted(clock: Clock) -> None:
    """A debt is paid off within twice the time in which the budget is refilled."""
    found = counted(per_s=1000)
    assert found.consume("1.1", 1e9) == 50 * FULL_BUDGETS
    assert not found.admit("1.2")
    assert found.admit("2.1")
    clock.now += FRAME_BURST_S
    assert not found.admit("1.2")
    assert found.consume("1.2", 5) == 0
    clock.now += 1
    assert found.admit("1.2")


def test_proxies_are_not_counted(clock: Clock) -> None:
    """They connect for all clients."""
    assert clock
    found = counted(max_connections=1, per_s=1)
    assert all(found.admit("10.1") for _ in range(50))
    assert found.consume("10.1", 1e9) == 1e9
    found.release("10.1")
    assert found._subnets == {}


def test_idle_subnets_are_forgotten(clock: Clock) -> None:
    """Subnets with an open connection, or a budget that is not full, are remembered."""
    found = counted()
    for number in range(1000):
        found.admit(f"n{number}.1")
        found.release(f"n{number}.1")
    found.admit("kept.1")
    clock.now += SWEEP_S + 1
    found.admit("new.1")
    assert set(found._subnets) == {"kept", "new"}
