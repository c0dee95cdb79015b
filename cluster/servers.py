"""The scheduler and the worker: processes that end with SIGTERM, and listen on one port each."""

import asyncio
import contextlib
import functools
import logging
import signal
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from cluster.errors import ClusterRefused
from cluster.node import reader_of, say
from cluster.page_task import PageTasks
from cluster.scratch import private_directory
from cluster.secured import OPTIONS, security_of
from settings import Settings
from settings.tables import Cluster

EXTENSION = "sealed-ocr"
"""The name by which tasks find what reads their pages (client/.../cluster/task.py)."""
AGAIN_S = 1.0
WAITING_S = 5.0
LEAVING_S = 5.0

Kind = TypeVar("Kind", bound=type)


@contextlib.contextmanager
def _configured() -> Iterator[None]:
    """Set distributed's options, and what of its log is written.

    Raises:
        ClusterRefused: distributed is not installed.

    """
    try:
        import dask  # noqa: PLC0415 - installed on nodes of clusters only
        import distributed  # noqa: F401, PLC0415
    except ImportError:
        raise ClusterRefused("distributed is missing: run scripts/install --cluster") from None
    # A worker's log is of connections that end, with tracebacks; this module says it in a line.
    # The scheduler's names keys of tasks, and no content.
    for name in ("core", "worker", "utils", "comm"):
        logging.getLogger(f"distributed.{name}").disabled = True
    logging.getLogger("distributed").setLevel(logging.WARNING)
    with dask.config.set(OPTIONS):
        yield


def _without_http(kind: Kind) -> Kind:
    """Return a class of server that opens no port for HTTP, which would be neither TLS nor closed.

    `dashboard=False` leaves the routes out, but still listens.
    """

    def no_server(*_args: object, **_named: object) -> None:
        pass

    return type(kind.__name__, (kind,), {"start_http_server": no_server})  # type: ignore[return-value]


async def run_scheduler(settings: Settings, directory: Path) -> None:
    """Run the scheduler until SIGTERM.

    Raises:
        ClusterRefused: it cannot start.

    """
    cluster = settings.cluster
    with _configured():
        from distributed import Scheduler  # noqa: PLC0415

        host, _, port = cluster.scheduler.removeprefix("tls://").rpartition(":")
        security = security_of(cluster, directory)
        scheduler = _without_http(Scheduler)(
            host=host,
            port=int(port),
            protocol="tls://",
            security=security,
            dashboard=False,
            worker_ttl=cluster.worker_ttl_s,
        )
        with _port_free(cluster.scheduler):
            await scheduler
        say(f"scheduler listening on {scheduler.address}")
        await _until_stopped(scheduler.finished)
        await scheduler.close()


async def run_worker(settings: Settings, directory: Path, version: str) -> None:
    """Run this machine's worker until SIGTERM; a scheduler that is lost is waited for.

    The processes that read keep their networks meanwhile.

    Raises:
        ClusterRefused: it cannot start.

    """
    reader, threads = reader_of(settings)
    tasks = PageTasks(reader, version)
    stopped = asyncio.Event()
    try:
        with _configured(), private_directory() as scratch:
            make = functools.partial(_worker, settings, directory, scratch, threads, tasks)
            while not stopped.is_set():
                await _work(make(), settings.cluster, stopped)
    finally:
        await reader.aclose()


async def _work(worker: Any, cluster: Cluster, stopped: asyncio.Event) -> None:
    """Run a worker until `stopped`, or until its scheduler is lost.

    Raises:
        ClusterRefused: its address cannot be listened on.

    """
    waiting = asyncio.get_running_loop().call_later(
        WAITING_S,
        say,
        f"worker: waiting for the scheduler {cluster.scheduler}: it does not run, or does not "
        "accept this node's certificate",
    )
    try:
        with _port_free(cluster.node):
            await _until_stopped(worker.start, stopped)
        waiting.cancel()
        if not stopped.is_set():
            say(f"worker {worker.address}: connected to {cluster.scheduler}")
            await _until_stopped(worker.finished, stopped)
            await _leave(worker)
    finally:
        waiting.cancel()
        await worker.close(reason="stopped")
    if not stopped.is_set():
        say(f"worker {worker.address}: the scheduler is lost, waiting for it")
        await asyncio.sleep(AGAIN_S)


async def _leave(worker: Any) -> None:
    """Let the scheduler give the pages to others; without one there is nothing to leave."""
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(LEAVING_S):
            await worker.close_gracefully(reason="stopped")


def _worker(
    settings: Settings, directory: Path, scratch: str, threads: int, tasks: PageTasks
) -> Any:  # distributed.Worker, which is not imported without a cluster
    from distributed import Worker  # noqa: PLC0415
    from distributed.worker import DEFAULT_EXTENSIONS  # noqa: PLC0415

    host, _, port = settings.cluster.node.removeprefix("tls://").rpartition(":")
    return _without_http(Worker)(
        settings.cluster.scheduler,
        host=f"tls://{host}",
        port=int(port),
        security=security_of(settings.cluster, directory),
        nthreads=threads,
        memory_limit=0,  # results are in a plain dictionary
        local_directory=scratch,
        extensions={**DEFAULT_EXTENSIONS, EXTENSION: lambda _worker: tasks},  # type: ignore[dict-item]
    )


@contextlib.contextmanager
def _port_free(address: str) -> Iterator[None]:
    """Raise an address that cannot be bound as ClusterRefused.

    Raises:
        ClusterRefused: it is taken, or not one of this machine.

    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        cause = error.__cause__ or error
        said = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
        raise ClusterRefused(f"[cluster]: {address} cannot be listened on: {said}") from None


async def _until_stopped(
    end: Callable[[], Awaitable[object]], stopped: asyncio.Event | None = None
) -> None:
    """Wait for the end of something, or for SIGTERM or SIGINT, which set `stopped`."""
    stopped = stopped or asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    ended = asyncio.ensure_future(end())
    waiting = asyncio.ensure_future(stopped.wait())
    await asyncio.wait([ended, waiting], return_when=asyncio.FIRST_COMPLETED)
    for task in (ended, waiting):
        task.cancel()
    [result, _] = await asyncio.gather(ended, waiting, return_exceptions=True)
    if isinstance(result, Exception):
        raise result
