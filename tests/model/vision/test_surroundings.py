"""The processes leave nothing behind, wherever their parent runs and however it exits."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from model.workers.launcher import ALLOCATOR, BOOTSTRAP, Launcher
from tests.model.conftest import MakeReader
from tests.model.images import render_line, to_bytes
from tests.model.processes import is_running

PROJECT = Path(__file__).parents[3]

READ = """
import asyncio, sys
from pathlib import Path
from model.reader import Reader
async def read(sleep_s):
    reader = Reader(detector="ppocrv3-det", recogniser="sealed-crnn-v2", max_pixels=10**6,
                    max_pages=1, page_memory_bytes=10**10, pdf_dpi=100, engines=1,
                    decoders=1, threads=1, max_waiting=1,
                    idle_s=0, start_timeout_s=60, decode_timeout_s=60, read_timeout_s=60,
                    max_readings=0, seccomp=True, report=print)
    [reading] = await reader.read(Path(sys.argv[1]).read_bytes(), detect=False)
    print(reading.text, *reader._decoders.pids, *reader._engines.pids, flush=True)
    await asyncio.sleep(sleep_s)
    await reader.aclose()
"""
FOREVER = READ + "asyncio.run(read(600))"
DAEMON = (
    READ
    + """
import multiprocessing
def work():
    asyncio.run(read(0))
if __name__ == "__main__":
    process = multiprocessing.get_context("spawn").Process(target=work, daemon=True)
    process.start()
    process.join()
"""
)
UVLOOP = READ + "import uvloop; uvloop.run(read(0))"


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Return an image file with a number."""
    path = tmp_path / "line.png"
    path.write_bytes(to_bytes(render_line("4711")))
    return path


def environment() -> dict[str, str]:
    """Return the environment of a parent process."""
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT)}


def files_under(folder: Path) -> list[Path]:
    """Return everything in the folder, at any depth."""
    return list(folder.rglob("*"))


def test_a_killed_parent_leaves_no_orphans(image: Path) -> None:
    """They exit even if SIGKILL lets the parent do nothing."""
    with subprocess.Popen(
        [sys.executable, "-c", FOREVER, str(image)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as parent:
        assert parent.stdout is not None
        _, *pids = parent.stdout.readline().split()
        assert len(pids) == 2
        assert all(is_running(int(pid)) for pid in pids)
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 30
    while any(is_running(int(pid)) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(is_running(int(pid)) for pid in pids)


@pytest.mark.parametrize("program", [DAEMON, UVLOOP], ids=["daemonic child", "uvloop"])
def test_it_reads_wherever_the_server_runs_it(image: Path, tmp_path: Path, program: str) -> None:
    """In a daemonic process, which can't have multiprocessing children, and on uvloop."""
    if program is UVLOOP:
        pytest.importorskip("uvloop")
    script = tmp_path / "program.py"
    script.write_text(program)
    done = subprocess.run(
        [sys.executable, script, image],
        capture_output=True,
        text=True,
        check=True,
        env=environment(),
    )
    assert done.stdout.startswith("4711 ")


@pytest.mark.anyio
async def test_the_engine_leaves_nothing_in_the_home_folder(
    make_reader: MakeReader, tmp_path: Path
) -> None:
    """With telemetry off, as we set it, no file is created under HOME."""
    variables = {module: {**each, "HOME": str(tmp_path)} for module, each in ALLOCATOR.items()}
    async with make_reader(launcher=Launcher(BOOTSTRAP, variables)) as reader:
        [page] = await reader.read(to_bytes(render_line("4711")), detect=False)
        assert page.text == "4711"
    assert files_under(tmp_path) == []


def test_without_the_variable_it_does(tmp_path: Path) -> None:
    """Control: with its defaults, onnxruntime creates files under HOME."""
    subprocess.run(
        [sys.executable, "-I", "-c", "import onnxruntime, time; time.sleep(1)"],
        check=True,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
    )
    if not files_under(tmp_path):
        pytest.skip("this onnxruntime has no telemetry to turn off")
