"""What tests ask about processes."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path


def is_running(pid: int) -> bool:
    """Tell whether the process lives; one that ended and awaits collection doesn't."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def children_of(pid: int) -> set[int]:
    """Return the ids of the processes that `pid` started; none where it is gone."""
    found: set[int] = set()
    gone = contextlib.suppress(FileNotFoundError, ProcessLookupError)  # it, or a thread of it
    with gone:
        for task in Path(f"/proc/{pid}/task").iterdir():
            with gone:
                found.update(map(int, (task / "children").read_text("ascii").split()))
    return found


def descriptors_of(pid: int) -> list[str]:
    """Return what a process has open."""
    return [str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()]


def open_descriptors() -> int:
    """Return how many descriptors this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


async def until(condition: Callable[[], object], within_s: float = 60) -> None:
    """Wait until something about another process becomes true."""
    for _ in range(round(within_s * 100)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError
