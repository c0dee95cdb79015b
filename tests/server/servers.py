"""Real Hypercorn processes on free ports, stock or hardened."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

STOCK_FAILS = pytest.mark.xfail(
    strict=True, raises=AssertionError, reason="as stock Hypercorn does"
)
VARIANTS = pytest.mark.parametrize("hardened", [pytest.param(False, marks=STOCK_FAILS), True])


def on(stock: str, hardened: str) -> pytest.MarkDecorator:
    """Run a test on both servers, and demand that its assertions fail on the stock one.

    Strict: a stock Hypercorn that passes fails the suite, since the fix is not needed any more
    (or the test shows nothing). Only a failed assertion counts.
    """
    return pytest.mark.parametrize(
        "server", [pytest.param(stock, marks=STOCK_FAILS), hardened], indirect=True
    )


both = on("stock", "hardened")
both_tight = on("stock_tight", "hardened_tight")

ROOT = Path(__file__).parents[2]
APP = Path(__file__).with_name("uploads_app.py")
HYPERCORN = Path(sys.executable).with_name("hypercorn")
PATIENCE_S = 30.0
STOCK_PATIENCE_S = 2.0


@dataclass
class Server:
    """A running Hypercorn, what it printed, and its port."""

    process: subprocess.Popen[str]
    hardened: bool
    certfile: Path
    ca: Path
    lines: list[str] = field(default_factory=list)
    port: int = 0
    plain_port: int = 0

    @property
    def patience_s(self) -> float:
        """How long it may take to do what it must; stock Hypercorn is expected not to do it."""
        return PATIENCE_S if self.hardened else STOCK_PATIENCE_S

    def read(self) -> None:
        """Collect what the process prints, and the ports it names."""
        for line in self.process.stderr or ():
            self.lines.append(line.rstrip())
            if found := re.search(r"Running on (https?)://127\.0\.0\.1:(\d+)", line):
                if found[1] == "https":
                    self.port = int(found[2])
                else:
                    self.plain_port = int(found[2])

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S * 2)


def until(condition: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
    """Wait until a condition holds; return what it returned, or fail."""
    end = time.monotonic() + patience_s
    while True:
        if found := condition():
            return found
        if time.monotonic() > end:
            raise TimeoutError(condition)
        time.sleep(0.01)


def start(
    pair: Any, *, hardened: bool, settings: dict[str, Any] | None = None, **options: Any
) -> subprocess.Popen[str]:
    """Start the command; settings are Hypercorn's, options are the server's."""
    config = pair.certificate.with_name(f"settings-{os.urandom(4).hex()}.toml")
    values = {
        "bind": ["127.0.0.1:0"],
        "certfile": str(pair.certificate),
        "keyfile": str(pair.key),
        "workers": 0,
        # The whole folder passes on uvloop too, where that is installed: WORKER_CLASS=uvloop.
        "worker_class": os.environ.get("WORKER_CLASS", "asyncio"),
        **(settings or {}),
    }
    config.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items()))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "default"}
    if hardened:
        environment["HARDENED"] = json.dumps(options)
    return subprocess.Popen(
        [HYPERCORN, "--config", config, f"{APP}:app"],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env=environment,
        text=True,
    )


def is_refused(server: Server) -> bool:
    """Whether nothing listens on the port any more."""
    try:
        socket.create_connection(("127.0.0.1", server.port), 5).close()
    except (ConnectionRefusedError, ConnectionResetError):
        return True
    return False


@contextmanager
def serving(pair: Any, *, hardened: bool, **given: Any) -> Iterator[Server]:
    """Run a server while a block runs."""
    process = start(pair, hardened=hardened, **given)
    server = Server(process, hardened, pair.certificate, pair.ca)
    reader = threading.Thread(target=server.read, daemon=True)
    reader.start()
    try:
        until(lambda: server.port or process.poll() is not None)
        if not server.port:
            raise RuntimeError("\n".join(server.lines))
        yield server
    finally:
        process.kill()
        process.wait()
        reader.join()
        if process.stderr:
            process.stderr.close()


def soon(condition: Callable[[], Any], patience_s: float) -> bool:
    """Whether a condition holds in time: for what stock Hypercorn fails to do; else `until`."""
    try:
        until(condition, patience_s)
    except TimeoutError:
        return False
    return True
