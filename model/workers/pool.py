"""A few places for child processes, each started when a question first needs it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine

from model.errors import ReaderDied, WeightsError
from model.workers.channel import Message
from model.workers.child import Child


class Pool:
    """`size` places for children of `model.<module>`, each configured by the same message."""

    def __init__(
        self,
        module: str,
        configuration: Message,
        *,
        size: int,
        start_timeout_s: float,
        cancel_grace_s: float,
        max_questions: int = 0,
        report: Callable[[str, str], None] = lambda _process, _cause: None,
    ) -> None:
        """Start nothing yet. A child is replaced after `max_questions`; 0: never.

        `report` is told what befell a child that ended by itself, or could not start.
        """
        self._module = module
        self._configuration = configuration
        self._start_timeout_s = start_timeout_s
        self._cancel_grace_s = cancel_grace_s
        self._max_questions = max_questions
        self._report = report
        # Last in, first out: as few children as the load needs are started and kept warm.
        self._free: asyncio.LifoQueue[Child | None] = asyncio.LifoQueue()
        for _ in range(size):
            self._free.put_nowait(None)
        self._size = size
        self._children: set[Child] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._waking: asyncio.Task[None] | None = None
        self._closed = False
        self.running = 0
        self.started = 0
        self.deaths = 0

    @property
    def pids(self) -> list[int]:
        """The ids of the living children's processes."""
        return [child.pid for child in self._children if child.alive]

    @contextlib.asynccontextmanager
    async def place(self) -> AsyncIterator[Child]:
        """Lend a running child, after waiting for a free place; first come, first served.

        Raises ReaderDied where it does not start or the pool is closed, WeightsError where it finds
        other weights.
        """
        await self._woken()
        child = await self._free.get()
        self.running += 1
        try:
            if child is None or not child.alive:
                child = await self._start()
            yield child
        finally:
            self.running -= 1
            self._give_back(child)

    def wake(self) -> None:
        """Begin to start a child where there is none: whoever asks next has to wait less.

        Why it did not start, the next to ask is told: another one is started for them.
        """
        if not (self._children or self._tasks or self._closed or self._free.empty()):
            self._free.get_nowait()
            self._waking = self._background(self._fill())

    async def _woken(self) -> None:
        """Wait while a child starts ahead of its asker."""
        if self._waking is not None and not self._waking.done():
            await asyncio.wait([self._waking])

    async def warm(self, number: int | None = None) -> None:
        """Start as many children as are to run, all of them unless told otherwise."""
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(self._size if number is None else number):
                await stack.enter_async_context(self.place())

    async def unload(self) -> None:
        """End the children of free places; busy ones are left alone."""
        await self._woken()
        free = []
        while not self._free.empty():
            free.append(self._free.get_nowait())
        for _ in free:
            self._free.put_nowait(None)
        for child in free:
            if child is not None:
                await self._end(child)

    async def aclose(self) -> None:
        """End every child, busy or not; unanswered questions get ReaderDied."""
        self._closed = True
        for child in list(self._children):
            await self._end(child)
        await asyncio.gather(*self._tasks)

    async def _start(self) -> Child:
        """Return a new child that has loaded what it needs."""
        if self._closed:
            raise ReaderDied("the reader is closed")
        child = Child(self._module, self._forget)
        self._children.add(child)
        try:
            async with asyncio.timeout(self._start_timeout_s):
                message = await child.ask(self._configuration)
        except (TimeoutError, asyncio.CancelledError) as error:
            self._background(self._end(child))
            if isinstance(error, TimeoutError):
                late = f"the {self._module} did not start in {self._start_timeout_s} s"
                self._report(self._module, late)
                raise ReaderDied(late) from error
            raise
        if "error" in message:
            self._background(self._end(child))
            self._report(self._module, str(message.get("detail")))
            raise WeightsError(str(message.get("detail")))
        self.started += 1
        return child

    def _give_back(self, child: Child | None) -> None:
        """Free the place, at once or when the question its asker left behind is settled."""
        if child is None or not child.alive:
            self._release(None)
        elif not child.busy and 0 < self._max_questions < child.asked:  # the start was a question
            self._background(self._replace(child))
        elif not child.busy:
            self._release(child)
        elif self._cancel_grace_s > 0:
            self._background(self._settle(child))
        else:
            self._background(self._end(child))
            self._release(None)

    async def _settle(self, child: Child) -> None:
        await child.settle(self._cancel_grace_s)
        self._release(child)

    async def _replace(self, child: Child) -> None:
        """End a child that has been asked often enough, and start the next, while nobody waits."""
        await self._end(child)
        await self._fill()

    async def _fill(self) -> None:
        """Put a new child into a place that is taken, and free it."""
        fresh: Child | None = None
        with contextlib.suppress(ReaderDied, WeightsError):  # the next question will be told
            fresh = await self._start()
        self._release(fresh)

    def _release(self, child: Child | None) -> None:
        self._free.put_nowait(child if child is not None and child.alive else None)

    async def _end(self, child: Child) -> None:
        """End a child on purpose: no death to count."""
        self._children.discard(child)
        await child.aclose()

    def _forget(self, child: Child) -> None:
        """Count and tell of a child that ended by itself, or had to be killed for what it did."""
        if child in self._children:
            self._children.discard(child)
            self.deaths += 1
            self._report(self._module, child.process.cause)

    def _background(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Run what nobody waits for, until aclose() does."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
