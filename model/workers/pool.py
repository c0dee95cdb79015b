"""A pool of child processes, each started when a request first needs it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine

from model.errors import ReaderDied, WeightsError
from model.workers.caller_slots import CallerSlots
from model.workers.channel import Message
from model.workers.child import Child
from model.workers.failure import Failure
from model.workers.launcher import Launcher
from model.workers.lease import Lease

_NOBODY = ""  # in place of a caller, for a slot that the pool itself takes
Report = Callable[[str, str], None]  # called with a process's name and the cause of its end


class Pool:
    """Slots for children of one module: `size`, and `spare` more for callers that hold none."""

    def __init__(
        self,
        launcher: Launcher,
        module: str,
        configuration: Message,
        *,
        size: int,
        spare: int = 0,
        start_timeout_s: float,
        cancel_grace_s: float,
        max_requests: int,
        report: Report,
    ) -> None:
        """Start nothing yet. A child is replaced after `max_requests`; 0: never.

        `report` is called for a child that exited by itself or could not start.
        """
        self._launcher = launcher
        self._module = module
        self._configuration = configuration
        self.size = size
        self._start_timeout_s = start_timeout_s
        self._cancel_grace_s = cancel_grace_s
        self._max_requests = max_requests
        self._report = report
        self._all = size + spare
        self._slots = CallerSlots(size, spare)
        # Of the idle children the one used last comes first, so that no more are started and kept
        # than the load needs.
        self._free: asyncio.LifoQueue[Child | None] = asyncio.LifoQueue()
        for _ in range(self._all):
            self._free.put_nowait(None)
        self._children: set[Child] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._prestart: asyncio.Task[None] | None = None
        self._closed = False
        self.running = 0
        self.started = 0
        self.deaths = 0

    @property
    def pids(self) -> list[int]:
        """The ids of the running children."""
        return [child.pid for child in self._children if child.alive]

    @property
    def running_children(self) -> list[Child]:
        """The running children, oldest first."""
        return sorted((child for child in self._children if child.alive), key=lambda c: c.pid)

    @contextlib.asynccontextmanager
    async def lease(self, caller: str = _NOBODY) -> AsyncIterator[Lease]:
        """Wait for a slot that is free for this caller, and hold it."""
        await self._prestarted()
        child = await self._take(caller)
        if child is None and self._slots.spare_taken:
            # The spare child starts in the background: the first that is free is taken.
            self._slots.hand_over(caller, _NOBODY)
            self._background(self._fill(_NOBODY))
            child = await self._take(caller)
        lease = Lease(self._start, child)
        self.running += 1
        try:
            yield lease
        finally:
            self.running -= 1
            self._return(lease.child, caller)

    def prestart(self) -> None:
        """Start a child in the background if there is none: the next request waits less.

        If it does not start, the next request starts another one, whose error it gets.
        """
        if not (self._children or self._tasks or self._closed) and self._slots.take(_NOBODY):
            self._free.get_nowait()
            self._prestart = self._background(self._fill(_NOBODY))

    async def warm(self, number: int | None = None) -> None:
        """Start so many children, or as many as there are slots, spare ones included.

        Raises:
            ReaderDied: a child did not start, or the pool is closed.
            WeightsError: a child found missing or different weights.

        """
        async with contextlib.AsyncExitStack() as stack:
            # Each as a caller of its own: a spare slot is for a caller that holds none.
            for caller in range(self._all if number is None else number):
                lease = await stack.enter_async_context(self.lease(str(caller)))
                await lease.worker()

    async def stop_idle(self) -> None:
        """Stop the children that are idle."""
        await self._prestarted()
        free = []
        while not self._free.empty():
            free.append(self._free.get_nowait())
        for _ in free:
            self._free.put_nowait(None)
        for child in free:
            if child is not None:
                await self._stop(child)

    async def aclose(self) -> None:
        """Stop every child, busy or not; requests without a response get ReaderDied."""
        self._closed = True
        for child in list(self._children):
            await self._stop(child)
        await asyncio.gather(*self._tasks)

    async def _take(self, caller: str) -> Child | None:
        await self._slots.acquire(caller)
        return self._free.get_nowait()

    async def _prestarted(self) -> None:
        """Wait until a child that is started in the background is there."""
        if self._prestart is not None and not self._prestart.done():
            await asyncio.wait([self._prestart])

    async def _start(self) -> Child:
        """Return a new child that is ready for requests."""
        if self._closed:
            raise ReaderDied("the reader is closed")
        child = Child(self._launcher, self._module, self._child_exited)
        self._children.add(child)
        try:
            async with asyncio.timeout(self._start_timeout_s):
                response = await child.request(self._configuration)
        except (TimeoutError, asyncio.CancelledError) as error:
            self._background(self._stop(child))
            if isinstance(error, TimeoutError):
                late = f"the {self._module} did not start in {self._start_timeout_s} s"
                self._report(self._module, late)
                raise ReaderDied(late) from error
            raise
        if "error" in response:
            self._background(self._stop(child))
            detail = str(response.get("detail"))
            self._report(self._module, detail)
            known = response["error"] == Failure.WEIGHTS
            raise WeightsError(detail) if known else ReaderDied("an unknown failure")
        self.started += 1
        return child

    def _return(self, child: Child | None, caller: str) -> None:
        """Free a slot, at once or when its child's cancelled request is done with."""
        if child is None or not child.alive:
            self._release(None, caller)
        elif not child.busy and 0 < self._max_requests < child.requests:  # the first: the start
            self._background(self._replace(child, caller))
        elif not child.busy:
            self._release(child, caller)
        elif self._cancel_grace_s > 0:
            self._background(self._cancel(child, caller))
        else:
            self._background(self._stop(child))
            self._release(None, caller)

    async def _cancel(self, child: Child, caller: str) -> None:
        await child.cancel(self._cancel_grace_s)
        self._release(child, caller)

    async def _replace(self, child: Child, caller: str) -> None:
        """Stop a child that has had its number of requests, and start the next one."""
        await self._stop(child)
        await self._fill(caller)

    async def _fill(self, caller: str) -> None:
        """Start a child for a slot that is taken, and free the slot."""
        fresh: Child | None = None
        try:
            with contextlib.suppress(ReaderDied, WeightsError):  # the next request learns why
                fresh = await self._start()
        finally:
            self._release(fresh, caller)

    def _release(self, child: Child | None, caller: str) -> None:
        self._free.put_nowait(child if child is not None and child.alive else None)
        self._slots.release(caller)

    async def _stop(self, child: Child) -> None:
        """Stop a child on purpose: this is not counted as a death."""
        self._children.discard(child)
        await child.aclose()

    def _child_exited(self, child: Child) -> None:
        """Count and report a child that exited by itself, or was killed for what it sent."""
        if child in self._children:
            self._children.discard(child)
            self.deaths += 1
            self._report(self._module, child.process.cause)

    def _background(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Run something in a task; aclose() waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
