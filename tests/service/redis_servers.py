"""Redis servers on TCP, and a sentinel, for tests of what happens when they fail."""

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import redis

from bench.processes import free_ports

PATIENCE_S = 30


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

    The sentinel elects the replica a third of a second after the master is gone.
    """

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self.ports = free_ports(3)
        master, replica, sentinel = map(str, self.ports)
        plain: Sequence[str] = ("--save", "", "--requirepass", "pw/of", "--masterauth", "pw/of")
        arguments = {
            master: ["--port", master, *plain],
            replica: ["--port", replica, *plain, "--replicaof", "127.0.0.1", master],
            sentinel: [self._sentinel_conf(directory, master, sentinel), "--sentinel"],
        }
        self.master, self.replica, self.sentinel = (
            stack.enter_context(redis_server(*of_one, directory=directory, port=int(port)))
            for port, of_one in arguments.items()
        )
        with self.client(2) as asked:
            until(lambda: bool(asked.sentinel_slaves("ocr")))
        self.storage = (
            f"async+redis+sentinel://:pw%2Fof@127.0.0.1:{sentinel}/ocr?sentinel_password=pw2"
        )

    def client(self, number: int) -> redis.Redis:
        """Return a client of the master (0), the replica (1) or the sentinel (2)."""
        password = "pw2" if number == 2 else "pw/of"
        return redis.Redis(port=self.ports[number], password=password)

    @staticmethod
    def _sentinel_conf(directory: Path, master: str, port: str) -> str:
        file = directory / "sentinel.conf"
        file.write_text(
            f"port {port}\nrequirepass pw2\nsentinel monitor ocr 127.0.0.1 {master} 1\n"
            "sentinel auth-pass ocr pw/of\nsentinel down-after-milliseconds ocr 300\n"
            "sentinel failover-timeout ocr 2000\n",
            encoding="utf-8",
        )
        return str(file)
