"""An honest client during an attack, and the service's memory, descriptors and tasks."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from tests.measuring import unmeasured
from tests.system.service import ROOT, Service, key_stanza

OFTEN = "1000000/minute"
READING_EVERY = 10
# Short times, so that a test sees what ends a connection; limits of rates out of the way.
SERVER = {"keep_alive_timeout": "1", "ssl_handshake_timeout": "1"}
LOCAL = f"""
[limits]
per_address = "{OFTEN}"
failed_authentications = "{OFTEN}"
[tls]
max_connections = 2500
send_timeout_s = 1
[engine]
processes = 1
warm = true
idle_s = 0
[[functions]]
path = "/ocr"
body_timeout_s = 1
[[functions]]
path = "/healthz"
body_timeout_s = 2
timeout_s = 2
[[functions]]
path = "/tasks"
handler = "counting:tasks"
scope = "public"
methods = ["GET"]
"""
COUNTING = """
import asyncio
from starlette.responses import PlainTextResponse

async def tasks(request):
    return PlainTextResponse(str(len(asyncio.all_tasks())))
"""


def attacked(directory: Path, local: str = LOCAL) -> tuple[Service, str, str]:
    """Return a service to attack, an honest caller's key, and an attacker's."""
    limits = f'limits = {{ "*" = "{OFTEN}", "/ocr" = "{OFTEN}" }}'
    honest, first = key_stanza("honest01", "honest", limits)
    attacker, second = key_stanza("attack01", "attacker", limits)
    service = Service(
        directory, local=local + first + second, server=SERVER, modules={"counting.py": COUNTING}
    )
    return service, honest, attacker


@dataclass
class Answers:
    """How long answers took, in milliseconds, and those that were wrong."""

    health: list[float] = field(default_factory=list)
    readings: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def ask(client: httpx2.Client, image: bytes, text: str, seconds: float) -> Answers:
    """Request /healthz repeatedly, and every tenth time a small reading."""
    answers = Answers()
    end, number = time.monotonic() + seconds, 0
    while time.monotonic() < end or not answers.readings:
        began = time.perf_counter()
        answer = client.get("/healthz")
        answers.health.append((time.perf_counter() - began) * 1000)
        if answer.status_code != httpx2.codes.OK:
            answers.wrong.append(answer.text)
        if number % READING_EVERY == 0:
            began = time.perf_counter()
            kind = {"content-type": "image/png"}
            answer = client.post("/ocr?detect=false", content=image, headers=kind)
            answers.readings.append((time.perf_counter() - began) * 1000)
            if answer.status_code != httpx2.codes.OK or text not in answer.json()["text"]:
                answers.wrong.append(answer.text)
        number += 1
    return answers


@contextmanager
def under_attack(
    service: Service, name: str, connections: int, key: str, *, crowd: bool = False
) -> Iterator[Callable[[], Mapping[str, int]]]:
    """Attack for the length of a block; what is given returns the tally so far.

    The attacker gets what others leave of the processor: a real one has a machine of its own. But
    it goes before other tests that run at the lowest priority.
    """
    port, ca = str(service.ports["https"]), str(service.authority)
    what = [name, str(connections), port, ca, key, *(["crowd"] if crowd else [])]
    attacker = subprocess.Popen(
        ["nice", "-n", "10", sys.executable, "-m", "tests.system.attacks", *what],
        cwd=ROOT,
        env=unmeasured(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        bufsize=1,
    )

    def tally() -> Mapping[str, int]:
        assert attacker.stdin is not None
        assert attacker.stdout is not None
        attacker.stdin.write("\n")
        line = attacker.stdout.readline()
        assert line, attacker.communicate()[1]
        found: Mapping[str, int] = json.loads(line)
        return found

    try:
        yield tally
        _, complaints = attacker.communicate(timeout=30)
        assert attacker.returncode == 0, complaints
    finally:
        attacker.kill()
        attacker.communicate()


@dataclass(frozen=True, slots=True)
class State:
    """A service's memory (MB), descriptors and tasks at one moment."""

    resident_mb: float
    descriptors: int
    tasks: int


def state_of(service: Service, client: httpx2.Client) -> State:
    """Look at the web process."""
    tasks = int(client.get("/tasks").text)
    folder = Path(f"/proc/{service.process.pid}")
    status = (folder / "status").read_text("ascii")
    resident_mb = int(status.partition("VmRSS:")[2].split()[0]) / 1024
    return State(resident_mb, len(list((folder / "fd").iterdir())), tasks)


def settle(service: Service, client: httpx2.Client, before: State, patience_s: float) -> State:
    """Wait until there are no more connections and tasks than before."""
    due = time.monotonic() + patience_s
    while True:
        now = state_of(service, client)
        # This client may have a new connection by then, in another state of rest.
        if now.descriptors <= before.descriptors and now.tasks <= before.tasks + 2:
            return now
        assert time.monotonic() < due, f"{before} became {now}"
        time.sleep(0.05)


def strange(lines: Sequence[str]) -> list[str]:
    """Return the lines of a log that are no JSON objects."""
    found = []
    for line in lines:
        try:
            ordinary = isinstance(json.loads(line), dict)
        except ValueError:
            ordinary = False
        if not ordinary:
            found.append(line)
    return found
