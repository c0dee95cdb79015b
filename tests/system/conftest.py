"""Servers and images that the system tests share."""

import io
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from tests.system.service import Service

Draw = Callable[..., bytes]


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service as shipped, with the development certificate and key."""
    with Service(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Start services with other settings; they end with the test."""
    started: list[Service] = []

    def start_one(**options: object) -> Service:
        directory = tmp_path / str(len(started))
        directory.mkdir()
        one = Service(directory, **options)  # type: ignore[arg-type]
        started.append(one)
        return one

    yield start_one
    for one in started:
        one.stop()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A redis of the test's own, on a Unix socket."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    path = tmp_path / "redis.sock"
    process = subprocess.Popen(
        ["redis-server", "--port", "0", "--unixsocket", path, "--save", ""],
        stdout=subprocess.DEVNULL,
    )
    due = time.monotonic() + 20
    while not path.exists() and time.monotonic() < due:
        time.sleep(0.02)
    yield f"async+redis+unix://{path}", process
    os.kill(process.pid, signal.SIGCONT)
    process.terminate()
    process.wait()


def draw(*lines: str, kind: str = "PNG") -> bytes:
    """Return an image of `lines`, black on white, a line 48 px high."""
    font = ImageFont.load_default(32)
    width = max([200, *(int(font.getlength(line)) + 40 for line in lines)])
    page = Image.new("RGB", (width, 48 * max(1, len(lines)) + 32), "white")
    pen = ImageDraw.Draw(page)
    for number, line in enumerate(lines):
        pen.text((20, 20 + 48 * number), line, "black", font)
    stream = io.BytesIO()
    page.save(stream, kind)
    return stream.getvalue()


@pytest.fixture(name="draw")
def draw_fixture() -> Draw:
    """Return the function that draws lines of text."""
    return draw
