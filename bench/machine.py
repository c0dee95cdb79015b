"""The machine and the versions that were measured."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.servers import ROOT

PACKAGES = ("hypercorn", "h2", "starlette", "onnxruntime", "httpx2")


def describe() -> str:
    """Return one line that names processor, cores, memory, date, commit and versions."""
    cpu = next(
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        if line.startswith("model name")
    )
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{cpu}, {len(os.sched_getaffinity(0))} cores, {memory_gb:.0f} GB, "
        f"Linux {platform.release()}, {datetime.now(UTC):%Y-%m-%d}, commit {commit}, "
        f"Python {platform.python_version()}, {versions}"
    )
