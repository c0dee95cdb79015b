"""What tests ask about processes."""

import asyncio
from collections.abc import Callable
from pathlib import Path


def is_running(pid: int) -> bool:
    """Tell whether the process lives; one that ended and awaits collection doesn't."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


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
