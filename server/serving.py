"""A serving process, from its start to its end; in place of Hypercorn's worker_serve."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from random import randint
from typing import Any

from hypercorn.asyncio.lifespan import Lifespan
from hypercorn.asyncio.statsd import StatsdLogger
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config, Sockets
from hypercorn.typing import AppWrapper, LifespanState
from hypercorn.utils import repr_socket_addr

from server import respawn
from server.connection_limit import Limits, Worker
from server.contexts import ReloadableContext, make_context
from server.drain import Stop
from server.graceful_shutdown import shut_down
from server.install import refuse_start
from server.listeners import Listeners
from server.options import ServerOptions

ShutdownTrigger = Callable[..., Awaitable[Any]]


class Server:
    """An installed server: options, limits and TLS context of what it serves."""

    def __init__(self, options: ServerOptions) -> None:
        self.options = options
        self.limits = Limits(options)
        self.context: ReloadableContext | None = None

    async def serve(
        self,
        app: AppWrapper,
        config: Config,
        *,
        sockets: Sockets | None = None,
        shutdown_trigger: ShutdownTrigger | None = None,
    ) -> None:
        """Serve until the shutdown is triggered, then end gracefully."""
        self._prepare(config)
        config.set_statsd_logger_class(StatsdLogger)
        loop = asyncio.get_running_loop()
        forked = respawn.current()
        stop = forked.stop if forked else Stop()
        if not forked and shutdown_trigger is None:
            stop.on_signals(loop)
        state = LifespanState({})
        lifespan = Lifespan(app, config, loop, state)
        lifespan_task = loop.create_task(lifespan.handle_lifespan())
        await lifespan.wait_for_startup()
        if lifespan_task.done() and (error := lifespan_task.exception()) is not None:
            raise error
        context = WorkerContext(_max_requests(config))
        worker = Worker(app, config, context, state, self.options, self.limits)
        listeners = Listeners(worker, self.context)
        try:
            await _listen(listeners, config, sockets or config.create_sockets())
            if forked:
                forked.started()
            triggers = [shutdown_trigger()] if shutdown_trigger and not forked else []
            await _first(*triggers, stop.requested.wait(), context.terminate.wait())
            if self.options.drain_s and not stop.at_once.is_set():
                await self.limits.drain.run(worker, self.options.drain_s, stop.at_once)
        finally:
            listeners.close()
            await shut_down(worker, listeners.connections)
            await lifespan.wait_for_shutdown()
            lifespan_task.cancel()
            await lifespan_task

    def _prepare(self, config: Config) -> None:
        """Have the Config checked and completed, and make the TLS context; or end the process."""
        try:
            self.options.prepare_config(config)
        except SystemExit as refusal:
            refuse_start(refusal.code if isinstance(refusal.code, str) else "not started")
        if not config.ssl_enabled:
            return
        try:
            self.context = ReloadableContext(lambda: make_context(config, self.options))
        except Exception as error:  # noqa: BLE001 - a file, or whatever verifies clients
            refuse_start(f"TLS can't start: {error}")
        self.limits.connections.generation = self.context.newest.generation


async def _listen(listeners: Listeners, config: Config, sockets: Sockets) -> None:
    for scheme, bound in (("https", sockets.secure_sockets), ("http", sockets.insecure_sockets)):
        for listener in bound:
            try:
                listeners.listen(listener, secure=scheme == "https")
            except OSError as error:  # two processes can bind a port; the second cannot listen
                name = repr_socket_addr(listener.family, listener.getsockname())
                refuse_start(f"{name} cannot be listened on: {error.strerror}")
            address = repr_socket_addr(listener.family, listener.getsockname())
            await config.log.info("Running on %s://%s (CTRL + C to quit)", scheme, address)


def _max_requests(config: Config) -> int | None:
    if config.max_requests is None:
        return None
    return config.max_requests + randint(0, config.max_requests_jitter)  # noqa: S311 - no secret


async def _first(*events: Awaitable[Any]) -> None:
    """Wait for the first of several events."""
    waiting: Collection[asyncio.Future[Any]] = [asyncio.ensure_future(event) for event in events]
    try:
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for one in done:
            one.result()
    finally:
        for one in waiting:
            one.cancel()
