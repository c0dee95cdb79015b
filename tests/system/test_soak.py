"""More traffic, good and bad, than the service can take, for as long as --soak-minutes says."""

import asyncio
import json
import math
import os
import signal
import sys
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import pytest

from tests.model.processes import until
from tests.system.census import Census, Orphanage, orphanage, take_census
from tests.system.service import Service, key_stanza
from tests.system.traffic import Traffic

pytestmark = [pytest.mark.soak, pytest.mark.anyio, pytest.mark.timeout(0)]
OFTEN = "1000000/minute"
LOCAL = f"[limits]\nper_address = '{OFTEN}'\n[engine]\nwarm = true\nidle_s = 0\n"
MINUTE_S, LOOK_S = 60, 2
GROWTH = 0.05
SETTLING_S = 20  # until connections are closed and readings that nobody waits for are dropped
# As shipped; a decoder whose asker has left is still being ended when the next one is forked.
MOST = {"web": 1, "zygote": 1, "engine": 2, "decoder": 3}
MISREAD = 0.1


@dataclass(frozen=True, slots=True)
class Growth:
    """Medians of a role's MB and descriptors, minute by minute."""

    resident_mb: Sequence[float]
    descriptors: Sequence[float]

    @property
    def share(self) -> float:
        """By how much the memory grew after the first minute, which is to warm up.

        Thirds are compared: engines are replaced meanwhile, and one minute's pages are larger.
        """
        minutes = self.resident_mb[1:]
        third = math.ceil(len(minutes) / 3)
        return median(minutes[-third:]) / median(minutes[:third]) - 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may count a locked process's descriptors")
async def test_soak(
    start: Callable[..., Service], pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    """Memory, descriptors and processes are bounded; every caller gets its own text; it stops."""
    seconds = MINUTE_S * float(pytestconfig.getoption("--soak-minutes"))
    assert seconds >= 3 * MINUTE_S, "a minute to warm up, and two to compare"
    limits = f'limits = {{ "*" = "{OFTEN}", "/ocr" = "{OFTEN}" }}'
    key, stanza = key_stanza("soakkey1", "soak", limits)
    with orphanage() as orphans, start(local=LOCAL + stanza) as service:
        orphans.know(service.process.pid)
        traffic = Traffic(service, key)
        before = take_census(service.process.pid)
        minutes = minutes_of(await watch(service, traffic, orphans, seconds))
        grown = {role: growth(minutes, role) for role in ("web", "zygote", "engine")}
        with capsys.disabled():
            sys.stdout.write(summary(grown, traffic))
        assert traffic.faults == []
        assert failures(service) == []
        assert {role: each for role, each in grown.items() if each.share > GROWTH} == {}
        assert traffic.misread < MISREAD * traffic.answers["200"]
        await settle(service, before)
        took_s = await stop_amid(service, traffic, orphans)
        with capsys.disabled():
            sys.stdout.write(f"from SIGTERM to the end of the last process: {took_s:.1f} s\n")


async def watch(
    service: Service, traffic: Traffic, orphans: Orphanage, seconds: float
) -> Sequence[Census]:
    """Let the traffic run; return what was seen, a look every LOOK_S."""
    looks = []
    async with asyncio.TaskGroup() as group:
        group.create_task(traffic.run())
        began = time.monotonic()
        while time.monotonic() < began + seconds:
            await asyncio.sleep(LOOK_S)
            look = take_census(service.process.pid)
            looks.append(look)
            counted = {role: held.processes for role, held in look.roles.items()}
            assert all(count <= MOST.get(role, 0) for role, count in counted.items()), counted
            assert orphans.living() == set()
        traffic.end()
    return looks


def minutes_of(looks: Sequence[Census]) -> Sequence[Sequence[Census]]:
    """Return the looks of each minute; the last one ends with the last look."""
    whole = round((looks[-1].at_s - looks[0].at_s) / MINUTE_S)
    ends = [looks[-1].at_s - MINUTE_S * left for left in reversed(range(whole))]
    return [[look for look in looks if end - MINUTE_S < look.at_s <= end] for end in ends]


def growth(minutes: Sequence[Sequence[Census]], role: str) -> Growth:
    """Return what a role held in each minute."""
    return Growth(
        [median(look.roles[role].resident_mb for look in minute) for minute in minutes],
        [median(look.roles[role].descriptors for look in minute) for minute in minutes],
    )


def summary(grown: Mapping[str, Growth], traffic: Traffic) -> str:
    """Return what was found, for a reader of the run."""
    lines = [f"\n{dict(sorted(traffic.answers.items()))}, {traffic.misread} misread"]
    for role, each in grown.items():
        megabytes = ", ".join(f"{megabytes:.1f}" for megabytes in each.resident_mb)
        first, last = each.descriptors[1], each.descriptors[-1]
        lines.append(f"{role}: {megabytes} MB ({each.share:+.1%}); descriptors {first:g}, {last:g}")
    return "\n".join(lines) + "\n"


def failures(service: Service) -> list[str]:
    """Return the log's lines of answers that nobody should get, whoever waited for them or not.

    And of processes that ended by themselves, but for decoders.
    """
    found = []
    for line in service.log:
        entry = json.loads(line) if line.startswith("{") else {}
        failed = (entry.get("status") or 0) >= 500 and entry["problem"] != "busy"
        ended = entry.get("event") == "process_ended" and entry["process"] != "decoder"
        if failed or ended:
            found.append(line)
    return found


async def settle(service: Service, before: Census) -> None:
    """Wait until, without traffic, as many processes and descriptors are left as at the start."""
    due = time.monotonic() + SETTLING_S
    while True:
        now = take_census(service.process.pid)
        held, right = (
            {role: (each.processes, each.descriptors) for role, each in census.roles.items()}
            for census in (now, before)
        )
        if held == right:
            return
        assert time.monotonic() < due, f"processes and descriptors: {right} became {held}"
        await asyncio.sleep(0.2)


async def stop_amid(service: Service, traffic: Traffic, orphans: Orphanage) -> float:
    """End the service amid traffic; return the seconds until the last of its processes is gone."""
    graceful_s = tomllib.loads(service.settings.read_text("utf-8"))["graceful_timeout"]
    async with asyncio.TaskGroup() as group:
        group.create_task(traffic.run())
        await asyncio.sleep(5)
        there = take_census(service.process.pid)
        traffic.ending = True
        began = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        status = await asyncio.to_thread(service.process.wait, graceful_s + SETTLING_S)
        await until(lambda: not orphans.living(), graceful_s)
        took_s = time.monotonic() - began
        traffic.end()
    assert status == 0
    assert took_s < graceful_s
    left = Census()
    for pid in there.pids:
        left.count("left", pid)
    assert left.pids | orphans.living() == set()
    return took_s
