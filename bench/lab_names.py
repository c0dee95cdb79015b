"""The names of labs and their networks: taking one, and removing all that has it."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import IPv4Network, ip_network
from itertools import chain
from pathlib import Path

from bench.cpu_share import groups, remove_group

PREFIX = "ocrlab"
NAMESPACES = Path("/run/netns")
LABS = 1 << 15  # networks 10.128.0.0/24 to 10.255.255.0/24


def ip(*words: str, lines: Sequence[str] = ()) -> str:
    """Run iproute2's ip; return what it writes.

    Raises:
        OSError: it has refused.

    """
    done = subprocess.run(
        ["ip", *words], input="\n".join(lines), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise OSError(f"ip {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def _links() -> list[str]:
    return [each["ifname"] for each in json.loads(ip("-j", "link"))]


def claim_number() -> tuple[socket.socket, str, IPv4Network]:
    """Take a number that no other lab has, and whose network is not routed here.

    It is held by a socket in the abstract namespace, which the kernel frees when the process ends.
    """
    routes = [ip_network(each["dst"]) for each in json.loads(ip("-j", "-4", "route"))
              if each["dst"] != "default"]  # fmt: skip
    for number in chain(range(os.getpid() % LABS, LABS), range(LABS)):
        network = IPv4Network(((10 << 24) + (1 << 23) + (number << 8), 24))
        if any(network.overlaps(route) for route in routes):
            continue
        claim = _held(f"{PREFIX}-{number}")
        if claim is not None:
            return claim, f"{PREFIX}-{number}", network
    raise OSError("every network of labs is taken")


def _held(name: str) -> socket.socket | None:
    """Take a name; return None where another process has it."""
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claim.bind(f"\0{name}")
    except OSError:
        claim.close()
        return None
    return claim


def remove_stale() -> None:
    """Remove the labs whose processes were killed."""
    names = [*_links(), *(each.name for each in NAMESPACES.glob(f"{PREFIX}-*"))]
    names += [each.name for each in groups(f"{PREFIX}-")]
    for lab in {"-".join(name.split("-")[:2]) for name in names if name.startswith(f"{PREFIX}-")}:
        claim = _held(lab)
        if claim is not None:
            remove_lab(lab)
            claim.close()


def remove_lab(name: str) -> None:
    """Remove a lab's hosts with their processes, and its bridge."""
    for namespace in NAMESPACES.glob(f"{name}-*"):
        remove_host(namespace.name)
    for group in groups(f"{name}-"):
        remove_group(group)
    for link in _links():  # a namespace takes its link along, but some time later
        if link == name or link.startswith(f"{name}-"):
            with suppress(OSError):
                ip("link", "del", link)


def remove_host(namespace: str) -> None:
    """Remove one host: its processes, its namespace (and with it its link), its cgroups."""
    with suppress(OSError):
        for pid in ip("netns", "pids", namespace).split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        ip("netns", "del", namespace)
    for group in groups(namespace):
        if group.name == namespace:
            remove_group(group)
