"""A process that answers one question at a time.

Every question has a sequence number that its answer must repeat; an answer to anything else means
that the child can no longer be told whose text it holds, and it is killed.
"""

import asyncio
from collections.abc import Callable

from model.errors import ReaderDied, UnreadableImage
from model.workers.channel import Message
from model.workers.process import Process, retrieve


class Child:
    """A running child process, to be asked."""

    def __init__(self, module: str, on_end: Callable[["Child"], None]) -> None:
        """Start `model.<module>`; needs a running event loop. Raises ReaderDied.

        `on_end` is called once, when the process is gone.
        """
        self._on_end = on_end
        self._sequence = 0
        self._answer: asyncio.Future[Message] | None = None
        self.process = Process(module, on_message=self._take, on_end=self._gone)

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self.process.alive

    @property
    def pid(self) -> int:
        """The process's id."""
        return self.process.pid

    @property
    def asked(self) -> int:
        """How many questions it got."""
        return self._sequence

    @property
    def busy(self) -> bool:
        """Whether a question is unanswered, though its asker may have left."""
        return self._answer is not None and not self._answer.done()

    async def ask(self, message: Message, *descriptors: int) -> Message:
        """Return the child's answer.

        A cancelled ask leaves the child busy: `settle` it before the next. Raises ReaderDied, and
        UnreadableImage where a question with descriptors was its end.
        """
        if not self.alive or self.busy:
            raise ReaderDied(f"the {self.process.module} is not free")
        self._sequence += 1
        self._answer = asyncio.get_running_loop().create_future()
        self._answer.add_done_callback(retrieve)
        self.process.send({**message, "sequence": self._sequence}, *descriptors)
        try:
            return await asyncio.shield(self._answer)
        except ReaderDied as death:
            if descriptors and self.process.crashed:
                raise UnreadableImage(str(death)) from death
            raise

    async def settle(self, grace_s: float) -> None:
        """Have a question whose asker left dropped; kill the child where it doesn't in time."""
        if self._answer is None or self._answer.done():
            return
        if grace_s > 0:
            self.process.send({"cancel": self._sequence})
            await asyncio.wait([self._answer], timeout=grace_s)
        if self.busy:
            self.process.kill("it did not stop in time")

    async def aclose(self) -> None:
        """End the process and wait until it is gone."""
        await self.process.aclose()

    def _take(self, message: Message) -> None:
        """Hand the child's message to its asker."""
        if self.busy and message.get("sequence") == self._sequence and self._answer is not None:
            self._answer.set_result(message)
        else:
            self.process.kill("it answered what nobody asked")

    def _gone(self) -> None:
        if self._answer is not None and not self._answer.done():
            died = f"the {self.process.module} died: {self.process.cause}"
            self._answer.set_exception(ReaderDied(died))
        self._on_end(self)
