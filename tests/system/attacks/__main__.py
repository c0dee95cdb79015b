"""Attack a service of ours until standard input ends: a process of its own, with its own GIL.

`python -m tests.system.attacks NAME CONNECTIONS PORT CA [KEY [crowd]]` answers each line of it with
the tally so far, as JSON.
"""

import asyncio
import contextlib
import json
import os
import sys
import traceback
from collections.abc import Awaitable, Callable

from tests.system.attacks import floods, slow
from tests.system.attacks.wire import Target

PAUSE_S = 0.02  # between two lives of a connection that was refused

Attack = Callable[[Target], Awaitable[None]]


async def repeat(attack: Attack, target: Target) -> None:
    """Open another connection whenever the last one has ended."""
    while True:
        refused = target.tally["refused"]
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await attack(target)
        await asyncio.sleep(PAUSE_S if target.tally["refused"] > refused else 0)


async def main(name: str, connections: str, port: str, ca: str, *who: str) -> None:
    """Attack until nobody wants it any more."""
    attack: Attack = getattr(slow, name, None) or getattr(floods, name)
    target = Target(int(port), ca, who[0] if who else "", crowd="crowd" in who)
    tasks = [asyncio.create_task(repeat(attack, target)) for _ in range(int(connections))]
    over = asyncio.get_running_loop().run_in_executor(None, tell, target)
    await asyncio.wait([over, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    for each in found:
        if isinstance(each, Exception):
            traceback.print_exception(each)
            os._exit(1)  # the thread that waits for questions would keep it


def tell(target: Target) -> None:
    """Say what has come of it, as often as somebody asks."""
    for _ in sys.stdin:
        sys.stdout.write(json.dumps(target.tally.copy()) + "\n")
        sys.stdout.flush()


asyncio.run(main(*sys.argv[1:]))
