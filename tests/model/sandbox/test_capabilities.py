"""No process that parses uploads has a capability, or can gain one."""

import os
from pathlib import Path

import pytest

from tests.model.conftest import MakeReader
from tests.model.images import render_line, to_bytes
from tests.model.sandbox.confined import run

SETS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has capabilities to drop")


def statuses_of(pid: int) -> list[str]:
    """Return the kernel's status of each thread."""
    return [(task / "status").read_text() for task in Path(f"/proc/{pid}/task").iterdir()]


def capabilities(status: str) -> dict[str, int]:
    """Return the five sets from the text of /proc/PID/status."""
    values = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return {name: int(values[name], 16) for name in SETS}


@as_root
@pytest.mark.anyio
async def test_running_processes_have_no_capability(make_reader: MakeReader) -> None:
    """Every thread of an engine and the zygote, started by root; decoders are its forks."""
    async with make_reader(threads=2) as reader:
        await reader.read(to_bytes(render_line("4711 0815")), detect=False)
        pids = (*reader._engines.pids, *reader._decoders.pids)
        statuses = [status for pid in pids for status in statuses_of(pid)]
    assert len(statuses) > len(pids)
    for status in statuses:
        assert "\nNoNewPrivs:\t1" in status
        assert set(capabilities(status).values()) == {0}
    assert capabilities(statuses_of(os.getpid())[0])["CapEff"]  # control: ours stay


@as_root
def test_the_restriction_drops_them() -> None:
    """Control: before it the same process has them."""
    code = "status = open('/proc/self/status')\n{restrict}print(status.read())\n"
    for restrict, has_some in (("", True), ("lock.drop_files()\n", False)):
        exit_status, printed = run(code.format(restrict=restrict))
        assert exit_status == 0, printed
        found = capabilities(printed)
        assert bool(found["CapEff"] or found["CapPrm"] or found["CapBnd"]) is has_some


@as_root
def test_without_capsetpcap_the_others_are_dropped() -> None:
    """A container may have taken it: the bounding set stays, and nothing can be gained from it."""
    code = (
        "kernel.capset((ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(1, 1))\n"
        "status = open('/proc/self/status')\n"
        "lock.drop_files()\n"
        "print(status.read())\n"
    )
    exit_status, printed = run(code)
    assert exit_status == 0, printed
    found = capabilities(printed)
    assert found.pop("CapBnd")
    assert set(found.values()) == {0}
    assert "\nNoNewPrivs:\t1" in printed
