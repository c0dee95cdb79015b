"""Python code run in a process of its own that locks itself first, to see what is left to it."""

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[3]
BEGINNING = """
import ctypes, errno, mmap, os, resource, signal, socket, sys, threading
sys.path.insert(0, sys.argv[1])
from model.sandbox import kernel, landlock, lock, policies, seccomp
from model.sandbox.seccomp import Call
"""


def run(code: str) -> tuple[int, str]:
    """Run it; return the exit status, negative for a signal, and what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", BEGINNING + code, str(PROJECT)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr).strip()
