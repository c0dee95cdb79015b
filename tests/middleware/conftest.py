"""Storages to count in: memory, and a real redis-server."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from middleware.memory_storage import SweptMemoryStorage
from middleware.quota import Quota
from service.storage import open_storage

WAIT_S = 0.2


class Redis:
    """A redis-server on a Unix socket of its own, which keeps nothing on disk."""

    def __init__(self, directory: Path) -> None:
        self.socket = directory / "redis"
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", str(self.socket), "--save", ""],
            cwd=directory,
            stdout=subprocess.DEVNULL,
        )
        due = time.monotonic() + 10
        while not self.socket.exists():
            assert time.monotonic() < due
            assert self.process.poll() is None
            time.sleep(0.01)

    def stop(self) -> None:
        """End it."""
        self.process.kill()  # SIGKILL ends a stopped process too, and is nothing to a dead one
        self.process.wait()

    @contextlib.contextmanager
    def hung(self) -> Iterator[None]:
        """Let it take connections and answer nothing."""
        os.kill(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.process.pid, signal.SIGCONT)


@pytest.fixture
def redis() -> Iterator[Redis]:
    """Start a redis-server; its folder's path is short, as a socket's has to be."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    with tempfile.TemporaryDirectory() as directory:
        server = Redis(Path(directory))
        yield server
        server.stop()


Connect = Callable[..., Quota]


@pytest.fixture
async def connect(redis: Redis, log: list[str]) -> AsyncIterator[Connect]:
    """Make quotas on that server, each with connections of its own, as app.py makes them."""
    storages: list[Any] = []

    def connect_one(
        *, allow: bool = False, wait_s: float = WAIT_S, patience_s: float | None = None
    ) -> Quota:
        uri = f"async+redis+unix://{redis.socket}"
        storage = open_storage(uri, wait_s=patience_s or wait_s)
        storages.append(storage)
        return Quota(storage, wait_s=wait_s, allow_on_failure=allow, write=log.append)

    yield connect_one
    for storage in storages:
        await asyncio.wait_for(storage.bridge.storage.aclose(), 5)


@pytest.fixture
def log() -> list[str]:
    """Collect the log's lines."""
    return []


@pytest.fixture
def quota(log: list[str]) -> Quota:
    """Return a quota in this process's memory."""
    return Quota(SweptMemoryStorage(), wait_s=WAIT_S, allow_on_failure=False, write=log.append)
