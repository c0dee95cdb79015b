"""A child process that handles one request at a time.

Every request has a sequence number, which its response must repeat. With any other number it is no
longer certain which caller a text belongs to, and the child is killed.
"""

import asyncio
from collections.abc import Callable

from model.errors import ReaderDied, UnreadableImage
from model.workers.channel import Message
from model.workers.launcher import Launcher
from model.workers.process import Process, mark_retrieved


class Child:
    """A running child process that takes requests."""

    def __init__(self, launcher: Launcher, module: str, on_exit: Callable[["Child"], None]) -> None:
        """Start a module of bootstrap.MODULES; needs a running event loop.

        `on_exit` is called once, when the process has exited.

        Raises:
            ReaderDied: the process could not be started.

        """
        self._on_exit = on_exit
        self._sequence = 0
        self._response: asyncio.Future[Message] | None = None
        self.process = Process(
            launcher, module, on_message=self._receive, on_exit=self._process_exited
        )

    @property
    def alive(self) -> bool:
        """Whether it takes requests."""
        return self.process.alive

    @property
    def pid(self) -> int:
        """The process's id."""
        return self.process.pid

    @property
    def requests(self) -> int:
        """The number of requests sent to it."""
        return self._sequence

    @property
    def busy(self) -> bool:
        """Whether a request has no response yet, even if its caller was cancelled."""
        return self._response is not None and not self._response.done()

    async def request(self, message: Message, *descriptors: int) -> Message:
        """Send a request and return its response.

        When it is cancelled the child stays busy: `cancel` that request before the next one.

        Raises:
            ReaderDied: the child is busy, or exited.
            UnreadableImage: the child crashed on a request with descriptors.

        """
        if not self.alive or self.busy:
            raise ReaderDied(f"the {self.process.module} is not free")
        self._sequence += 1
        self._response = asyncio.get_running_loop().create_future()
        self._response.add_done_callback(mark_retrieved)
        self.process.send({**message, "sequence": self._sequence}, *descriptors)
        try:
            return await asyncio.shield(self._response)
        except ReaderDied as death:
            if descriptors and self.process.crashed:
                raise UnreadableImage(str(death)) from death
            raise

    async def cancel(self, grace_s: float) -> None:
        """Cancel a request that has no response; kill the child if it takes more than `grace_s`."""
        if self._response is None or self._response.done():
            return
        if grace_s > 0:
            self.process.send({"cancel": self._sequence})
            await asyncio.wait([self._response], timeout=grace_s)
        if self.busy:
            self.process.kill("it did not stop in time")

    def pause(self) -> None:
        """Stop the process where it is, until it is resumed or killed."""
        if self.alive:
            self.process.pause()

    def resume(self) -> None:
        """Let the process go on."""
        if self.alive:
            self.process.resume()

    async def aclose(self) -> None:
        """Kill the process and wait until it has exited."""
        await self.process.aclose()

    def _receive(self, message: Message) -> None:
        """Pass the response to the request that waits for it."""
        if self.busy and message.get("sequence") == self._sequence and self._response is not None:
            self._response.set_result(message)
        else:
            self.process.kill("a response without a request")

    def _process_exited(self) -> None:
        if self._response is not None and not self._response.done():
            died = f"the {self.process.module} died: {self.process.cause}"
            self._response.set_exception(ReaderDied(died))
        self._on_exit(self)
