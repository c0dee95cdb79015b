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

import pytest
from pydantic import SecretStr

from middleware.counting.memory_storage import MemoryStorage
from middleware.counting.storage import Storage
from middleware.quota import Quota
from service.storage import open_storage
from settings import Limits

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

    def storage(self, *, wait_s: float = WAIT_S) -> Storage:
        """Return a storage in it, with connections of its own."""
        uri = SecretStr(f"async+redis+unix://{self.socket}")
        return open_storage(Limits(storage=uri, storage_wait_s=wait_s), Path())

    def cli(self, *command: str) -> str:
        """Return what redis-cli answers to a command."""
        called = ["redis-cli", "-s", str(self.socket), *command]
        return subprocess.run(called, capture_output=True, check=True, text=True).stdout

    def flush(self) -> None:
        """Forget everything, scripts too."""
        self.cli("flushall")
        self.cli("script", "flush")

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


@contextlib.contextmanager
def a_redis() -> Iterator[Redis]:
    """Run a redis-server; its folder's path is short, as a socket's has to be."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    with tempfile.TemporaryDirectory() as directory:
        server = Redis(Path(directory))
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture
def redis() -> Iterator[Redis]:
    """Start a redis-server for one test."""
    with a_redis() as server:
        yield server


Connect = Callable[..., Quota]


@pytest.fixture
async def connect(redis: Redis, log: list[str]) -> AsyncIterator[Connect]:
    """Make quotas on that server, each with connections of its own, as app.py makes them."""
    storages: list[Storage] = []

    def connect_one(
        *, allow: bool = False, wait_s: float = WAIT_S, patience_s: float | None = None
    ) -> Quota:
        storage = redis.storage(wait_s=patience_s or wait_s)
        storages.append(storage)
        return Quota(storage, wait_s=wait_s, allow_on_failure=allow, write=log.append)

    yield connect_one
    for storage in storages:
        await asyncio.wait_for(storage.aclose(), 5)


@pytest.fixture
def log() -> list[str]:
    """Collect the log's lines."""
    return []


@pytest.fixture
def quota(log: list[str]) -> Quota:
    """Return a quota in this process's memory."""
    return Quota(MemoryStorage(), wait_s=WAIT_S, allow_on_failure=False, write=log.append)
