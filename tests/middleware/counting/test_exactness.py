"""Limits and quotas hold exactly over several processes."""

import json
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from tests.middleware.conftest import a_redis
from tests.middleware.counting.hits import HITS, LIMIT, NAIVE_LIMIT

ROOT = Path(__file__).parents[3]
PROCESSES = 4


def _counted(socket: Path) -> Counter[str]:
    """Return what had room in four processes together."""
    found: Counter[str] = Counter()
    command = [sys.executable, "-m", "tests.middleware.counting.hits", str(socket)]
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
                )
            )
            for _ in range(PROCESSES)
        ]
        for process in processes:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin
            process.stdin.write("\n")
            process.stdin.flush()
        for process in processes:
            found.update(json.loads(process.communicate(timeout=120)[0]))
    return found


def test_four_processes_share_a_limit_exactly() -> None:
    """4 x 500 requests at 500: 500, not 501; pages too: all of the quota and no page more.

    The controls: counting in two commands lets too many pass, and so does memory in each process.
    """
    with a_redis() as redis:
        found = _counted(redis.socket)
    assert found["window"] == LIMIT
    assert found["pages"] == LIMIT
    assert found["naive"] > NAIVE_LIMIT
    assert found["memory"] == PROCESSES * HITS
