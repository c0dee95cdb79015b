"""Redis servers on TCP, and a sentinel, for tests of what happens when they fail."""

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import redis

from bench.processes import free_ports

PATIENCE_S = 30
# With less than the second between its pings a sentinel takes the new master for lost, too.
DOWN_AFTER_MS = 1100
PLAIN = ("--save", "", "--requirepass", "pw/of", "--masterauth", "pw/of",
         "--repl-diskless-sync-delay", "0")  # fmt: skip


def until(true: Callable[[], bool]) -> None:
    """Wait until something is true."""
    due = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < due
        time.sleep(0.02)


@contextmanager
def redis_server(*arguments: str, directory: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run redis-server with these arguments until the end of the block; wait until it listens."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    command = ["redis-server", *arguments]
    process = subprocess.Popen(command, cwd=directory, stdout=subprocess.DEVNULL)

    def listens() -> bool:
        assert process.poll() is None
        with socket.socket() as tried:
            return tried.connect_ex(("127.0.0.1", port)) == 0

    try:
        until(listens)
        yield process
    finally:
        process.kill()  # a stopped one, too
        process.wait()


class Sentinels:
    """A master, its replica and a sentinel, each with a password of its own kind.

    The sentinel elects the replica DOWN_AFTER_MS after the master is gone.
    """

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self.ports = free_ports(3)
        self._directory, self._stack = directory, stack
        self.start_master()
        master, _, sentinel = map(str, self.ports)
        self._start(1, *PLAIN, "--replicaof", "127.0.0.1", master)
        self._start(2, self._sentinel_conf(directory, master, sentinel), "--sentinel")
        with self.client(2) as asked:
            until(lambda: bool(asked.sentinel_slaves("ocr")))
        self.storage = (
            f"async+redis+sentinel://:pw%2Fof@127.0.0.1:{sentinel}/ocr?sentinel_password=pw2"
        )

    def start_master(self) -> None:
        """Start the master; again, after its end: empty, as one that has no replica."""
        self.master = self._start(0, *PLAIN)

    def elect(self, *, after_ms: int) -> None:
        """Let the sentinel elect the replica so long after it has lost the master."""
        with self.client(2) as sentinel:
            sentinel.sentinel_set("ocr", "down-after-milliseconds", after_ms)

    def _start(self, number: int, *arguments: str) -> subprocess.Popen[bytes]:
        port, folder = self.ports[number], self._directory / str(number)
        folder.mkdir(exist_ok=True)
        if number < 2:
            arguments = ("--port", str(port), *arguments)
        return self._stack.enter_context(redis_server(*arguments, directory=folder, port=port))

    def client(self, number: int) -> redis.Redis:
        """Return a client of the master (0), the replica (1) or the sentinel (2)."""
        password = "pw2" if number == 2 else "pw/of"
        return redis.Redis(port=self.ports[number], password=password)

    @staticmethod
    def _sentinel_conf(directory: Path, master: str, port: str) -> str:
        file = directory / "sentinel.conf"
        file.write_text(
            f"port {port}\nrequirepass pw2\nsentinel monitor ocr 127.0.0.1 {master} 1\n"
            f"sentinel auth-pass ocr pw/of\nsentinel down-after-milliseconds ocr {DOWN_AFTER_MS}\n"
            "sentinel failover-timeout ocr 2000\n",
            encoding="utf-8",
        )
        return str(file)
