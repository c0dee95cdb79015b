"""The processes of this machine, as tests need to know them."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path


def is_running(pid: int) -> bool:
    """Return whether a process is running; a zombie is not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def children_of(pid: int) -> set[int]:
    """Return the ids of a process's children; none if it has exited."""
    found: set[int] = set()
    gone = contextlib.suppress(FileNotFoundError, ProcessLookupError)  # it, or a thread of it
    with gone:
        for task in Path(f"/proc/{pid}/task").iterdir():
            with gone:
                found.update(map(int, (task / "children").read_text("ascii").split()))
    return found


def descriptors_of(pid: int) -> list[str]:
    """Return the open files of a process."""
    return [str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()]


def open_descriptors() -> int:
    """Return the number of open descriptors of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))


async def until(condition: Callable[[], object], within_s: float = 60) -> None:
    """Wait until a condition about another process is true."""
    for _ in range(round(within_s * 100)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError
