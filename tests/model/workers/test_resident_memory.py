"""The resident memory of other processes, also of those that /proc hides later."""

import os
import subprocess
import sys

from model.workers.resident_memory import ResidentMemory, children_of, known, resident_bytes

HIDDEN = "import ctypes; ctypes.CDLL(None).prctl(4, 0, 0, 0, 0); print(flush=True); input()"


def test_of_a_child() -> None:
    """While it runs, though it cannot be dumped any more; then there is none."""
    with subprocess.Popen(
        [sys.executable, "-c", HIDDEN], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        memory = ResidentMemory(child.pid)
        assert child.stdout is not None
        child.stdout.readline()
        assert (memory.bytes() or 0) > 1_000_000
        assert child.pid in children_of(os.getpid())
        child.kill()
    assert known([memory.bytes(), resident_bytes(child.pid), resident_bytes("self")]) != []
    assert known([memory.bytes(), resident_bytes(child.pid)]) == []
    memory.close()
    assert memory.bytes() is None


def test_of_no_process() -> None:
    """Nothing is known, and nothing fails."""
    memory = ResidentMemory(2**22 + 1)
    assert memory.bytes() is None
    memory.close()
    assert children_of(2**22 + 1) == []
