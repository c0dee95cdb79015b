"""Run Python code in a process of its own, which can restrict itself first."""

import subprocess
import sys
from pathlib import Path

from tests.measuring import unmeasured

PROJECT = Path(__file__).parents[3]
BEGINNING = """
import ctypes, errno, mmap, os, resource, signal, socket, sys, threading
sys.path.insert(0, sys.argv[1])
from model.sandbox import kernel, landlock, lock, policies, seccomp
from model.sandbox.seccomp import Call
"""


def run(code: str) -> tuple[int, str]:
    """Run the code; return the exit status, negative for a signal, and the output."""
    done = subprocess.run(
        [sys.executable, "-c", BEGINNING + code, str(PROJECT)],
        env=unmeasured(),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr).strip()
