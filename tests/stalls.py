"""How long work keeps the event loop from everything else, in processor time.

Processor time of the thread, unlike wall time, is the same on a busy machine.
"""

import asyncio
import gc
import time
from collections.abc import Awaitable


async def longest_stall_ms(work: Awaitable[object]) -> float:
    """Return the most processor time between two turns of another task while `work` runs."""
    longest = 0.0

    async def turn() -> None:
        nonlocal longest
        before = time.thread_time()
        while True:
            await asyncio.sleep(0)
            now = time.thread_time()
            longest = max(longest, now - before)
            before = now

    gc.collect()
    gc.disable()  # a collection of all the tests' objects takes longer than what is measured
    try:
        turns = asyncio.create_task(turn())
        await asyncio.sleep(0)
        await work
        await asyncio.sleep(0)
        turns.cancel()
        await asyncio.wait([turns])
    finally:
        gc.enable()
    return longest * 1000
