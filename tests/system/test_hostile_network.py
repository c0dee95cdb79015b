"""Attackers on the network, while an honest client is served.

The short form of each takes seconds. The long one, `--soak`, prints the table of
docs/hostile-network.md.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from tests.server.servers import until
from tests.system.honest import (
    LOCAL,
    Answers,
    State,
    ask,
    attacked,
    settle,
    state_of,
    strange,
    under_attack,
)
from tests.system.service import PATIENCE_S, Service

CUT_OFF = "goaway 11"
ENDED = "goaway 1"  # by h2, or "goaway 11": attacks from this address have spent its budget
TEXT = "4711"
GROWTH_MB = 250  # of the whole module: connections that come and go leave garbage for a while
TASKS_A_CONNECTION = 110  # its own, and the hundred requests that it may have under way
SETTLING_S = 15


@dataclass(frozen=True, slots=True)
class Attack:
    """An attack: its number of connections, with a key or without, and the expected outcome.

    `expected` begins the name of what the attackers have to have counted.
    """

    name: str
    connections: int
    expected: str = "closed"
    keyed: bool = False
    soak_connections: int = 0
    crowd: bool = False
    """Whether it uses many addresses."""


ATTACKS = (
    Attack("header_trickle", 50),
    Attack("header_trickle_h2", 50),
    Attack("body_trickle", 8, "status 408", keyed=True),
    Attack("body_trickle_h2", 3, "sent", keyed=True),
    Attack("zero_window", 5, "sent"),
    Attack("zero_window_refused", 5, "sent"),
    Attack("deaf", 5, "opened"),
    Attack("deaf_http1", 5, "opened"),
    Attack("deaf_pinger", 5, "opened"),
    Attack("half_open", 200),
    Attack("silent", 300, soak_connections=2000, crowd=True),
    Attack("rapid_reset", 4, CUT_OFF, keyed=True),
    Attack("made_to_reset", 4, CUT_OFF, keyed=True),
    Attack("continuation", 4, CUT_OFF),
    Attack("empty_continuation", 4, ENDED),
    Attack("settings", 4, CUT_OFF),
    Attack("window_settings", 4, CUT_OFF),
    Attack("ping", 4, CUT_OFF),
    Attack("hpack_bomb", 4, CUT_OFF),
    Attack("many_fields", 4, "sent"),
    Attack("priority", 4, CUT_OFF),
    Attack("reprioritise", 4, CUT_OFF),
    Attack("window_update", 4, CUT_OFF),
    Attack("empty_data", 4, CUT_OFF, keyed=True),
    Attack("early_close", 8, "sent", keyed=True),
    Attack("early_close_http1", 8, "sent", keyed=True),
    Attack("handshake", 50, "opened", soak_connections=1000),
)
NAMES = [attack.name for attack in ATTACKS]


@dataclass(frozen=True, slots=True)
class Target:
    """A service under attack, its honest client, and its state before the attack."""

    service: Service
    client: httpx2.Client
    attacker: str
    image: bytes
    first: State

    def ask(self, seconds: float) -> Answers:
        """Send requests as an honest client; every response must be correct."""
        lines = len(self.service.log)
        answers = ask(self.client, self.image, TEXT, seconds)
        assert answers.wrong == [], troubles(self.service.log[lines:])
        return answers

    def attacked_by(
        self, attack: Attack, connections: int
    ) -> AbstractContextManager[Callable[[], Mapping[str, int]]]:
        """Attack for the length of a block."""
        key = self.attacker if attack.keyed else ""
        return under_attack(self.service, attack.name, connections, key, crowd=attack.crowd)


@contextmanager
def serving(directory: Path, local: str) -> Iterator[Target]:
    """Run a service with short timeouts, that has answered before."""
    from tests.system.conftest import draw  # noqa: PLC0415 - the fixture of that name is a function's

    service, honest, attacker = attacked(directory, local)
    image = draw(TEXT)
    with service, service.client(key=honest) as client:
        ask(client, image, TEXT, 1)
        yield Target(service, client, attacker, image, state_of(service, client))


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A service that all the attacks of this module are made on."""
    with serving(tmp_path_factory.mktemp("counting"), LOCAL) as found:
        yield found


@pytest.mark.parametrize("attack", ATTACKS, ids=NAMES)
def test_honest_clients_are_served(target: Target, attack: Attack) -> None:
    """All responses are correct; memory and tasks are bounded and released; the log is intact."""
    lines = len(target.service.log)
    before = state_of(target.service, target.client)
    due = time.monotonic() + PATIENCE_S
    with target.attacked_by(attack, attack.connections) as tally:
        target.ask(1)
        while not any(name.startswith(attack.expected) for name in tally()):
            assert time.monotonic() < due, tally()
            target.ask(1)
        held = state_of(target.service, target.client)
    assert held.tasks < before.tasks + attack.connections * TASKS_A_CONNECTION
    after = settle(target.service, target.client, before, SETTLING_S)
    assert after.resident_mb < target.first.resident_mb + GROWTH_MB
    assert strange(target.service.log[lines:]) == []


@pytest.mark.parametrize("name", ["zero_window_refused", "deaf"])
def test_a_client_that_does_not_read_is_disconnected(target: Target, name: str) -> None:
    """While such clients are still there, their requests have ended."""
    before = state_of(target.service, target.client)
    with under_attack(target.service, name, 3, ""):
        most = 0
        due = time.monotonic() + SETTLING_S
        while time.monotonic() < due:
            tasks = state_of(target.service, target.client).tasks
            most = max(most, tasks)
            if most > before.tasks + 20 and tasks < before.tasks + 20:
                return
            time.sleep(0.02)
    pytest.fail(f"{before.tasks} tasks became {most}, and stayed")


def test_a_full_server_serves_open_connections(
    tmp_path_factory: pytest.TempPathFactory, target: Target
) -> None:
    """When idle clients hold every connection, a client that is connected is still served."""
    local = "[tls]\nmax_connections = 40\n"
    service, honest, _ = attacked(tmp_path_factory.mktemp("full"), local)
    with service, service.client(key=honest) as client:
        ask(client, target.image, TEXT, 0.5)
        with under_attack(service, "silent", 80, "", crowd=True) as tally:
            until(lambda: tally().get("refused"))
            answers = ask(client, target.image, TEXT, 2)
        assert answers.wrong == []


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("attack", ATTACKS, ids=NAMES)
def test_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str], attack: Attack) -> None:
    """Print for each attack what it took and what honest clients noticed, calm and attacked."""
    with serving(tmp_path, LOCAL) as target:
        before = state_of(target.service, target.client)
        calm = target.ask(5)
        connections = attack.soak_connections or attack.connections
        key = target.attacker if attack.keyed else ""
        with under_attack(
            target.service, attack.name, connections, key, crowd=attack.crowd
        ) as tally:
            time.sleep(1)
            answers = target.ask(10)
            held = state_of(target.service, target.client)
            came = sorted(tally().items())
        settle(target.service, target.client, before, SETTLING_S)
        told = ", ".join(f"{name} {count}" for name, count in came)
        report(
            capsys,
            f"| {attack.name} | {connections} | {told} | {before.resident_mb:.0f} to "
            f"{held.resident_mb:.0f} | {held.tasks} | {pair(calm.health, answers.health)} | "
            f"{pair(calm.readings, answers.readings)} |\n",
        )


HEAD = (
    "\n| attack | connections | tally | MB | tasks | healthz ms p50, p99 | reading ms p50, p99 |\n"
    "|---|---|---|---|---|---|---|\n"
)


def report(capsys: pytest.CaptureFixture[str], text: str) -> None:
    """Write for the reader of the run."""
    with capsys.disabled():
        sys.stdout.write(text)
        sys.stdout.flush()


def troubles(log: list[str]) -> str:
    """Return the lines that tell of anything but a request that succeeded."""
    return "\n".join(line for line in log if '"problem": null' not in line)


def pair(calm: list[float], busy: list[float]) -> str:
    """Return p50 and p99, calm and attacked, and the ratio of the p99s."""
    middle: Callable[[list[float]], float] = lambda times: percentile(times, 0.5)  # noqa: E731
    last = percentile(busy, 0.99) / percentile(calm, 0.99)
    return (
        f"{middle(calm):.1f}, {percentile(calm, 0.99):.1f} to {middle(busy):.1f}, "
        f"{percentile(busy, 0.99):.1f} ({last:.1f}x)"
    )


def percentile(times: list[float], share: float) -> float:
    """Return what that share of the times does not exceed."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
