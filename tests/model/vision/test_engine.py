"""The engine process: restricted, self-tested, and without data of earlier pages."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.errors import ReaderDied, ReadingTimeout
from model.vision.engine import load, render_test_page, self_test
from model.vision.page import PageReader, PageReading
from model.workers.crash import SelfTestFailed
from model.workers.launcher import ALLOCATOR, LAUNCHER, Launcher
from tests.model.conftest import MakeReader
from tests.model.images import render_line, render_page, to_bytes
from tests.model.launchers import MakeLauncher, changed_bootstrap
from tests.model.processes import descriptors_of
from tests.model.sandbox.confined import PROJECT

pytestmark = pytest.mark.anyio

LINE = to_bytes(render_line("4711 0815"))
START = {"detector": "ppocrv3-det", "recogniser": "sealed-crnn-v2", "threads": 2}


def statuses_of(pid: int) -> list[str]:
    """Return the kernel's status of each thread."""
    return [(task / "status").read_text() for task in Path(f"/proc/{pid}/task").iterdir()]


async def test_a_running_engine_is_restricted(make_reader: MakeReader) -> None:
    """A filter on every thread, no new privileges, and no descriptor but its own."""
    async with make_reader(threads=2) as reader:
        await reader.read(LINE, detect=False)
        [pid] = reader._engines.pids
        for status in statuses_of(pid):
            assert re.search(r"Seccomp:\s+2", status)
            assert re.search(r"NoNewPrivs:\s+1", status)
        links = descriptors_of(pid)
        assert links.count("/dev/null") == 3
        assert sum(link.startswith("socket") for link in links) == 1
        assert len(links) == 4


async def test_without_seccomp_it_is_not(make_reader: MakeReader) -> None:
    """Control: its threads have no filter."""
    async with make_reader(seccomp=False) as reader:
        await reader.read(LINE, detect=False)
        [pid] = reader._engines.pids
        assert all(re.search(r"Seccomp:\s+0", status) for status in statuses_of(pid))


def test_the_default_networks_pass_the_self_test() -> None:
    """They read the lines of the test page in all four directions."""
    reader = load(START)
    self_test(reader)
    page = reader.read(render_test_page(), detect=True, check=lambda: None)
    assert [line.text for line in page.lines] == ["4711 0815"] * 4


DENORMALS = """
import numpy as np
from concurrent.futures import ThreadPoolExecutor
from model.vision.engine import load

def denormal_is_zero():
    return bool(np.float32(1e-38) * np.float32(1e-3) == 0)

before = ThreadPoolExecutor(1)
print(before.submit(denormal_is_zero).result(), end=" ")
reader = load({"detector": "ppocrv3-det", "recogniser": "sealed-crnn-v2", "threads": 2})
print(before.submit(denormal_is_zero).result(), reader._threads.submit(denormal_is_zero).result())
"""


def test_denormal_floats_are_zero_in_the_threads_that_read() -> None:
    """But not in a thread that started before the networks were loaded."""
    finished = subprocess.run(
        [sys.executable, "-c", DENORMALS], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert finished.stdout.split() == ["False", "False", "True"]


class Blind(PageReader):
    """Finds no line."""

    def __init__(self) -> None:
        pass

    def read(self, *_: object, **__: object) -> PageReading:
        """Return no line."""
        return PageReading()


def test_a_reader_that_finds_nothing_fails_the_self_test() -> None:
    """Control of the check above."""
    with pytest.raises(SelfTestFailed):
        self_test(Blind())


async def test_an_engine_that_fails_its_self_test_is_not_used(
    make_reader: MakeReader, launcher_of: MakeLauncher
) -> None:
    """It exits, the cause is reported, and the reader is not proven."""
    blind = "import model.vision.engine as engine; engine.cv2.putText = print"
    launcher = launcher_of(changed_bootstrap(blind))
    reports: list[tuple[str, str]] = []
    async with make_reader(
        launcher=launcher, report=lambda *report: reports.append(report)
    ) as reader:
        assert not await reader.prove()
        with pytest.raises(ReaderDied, match="SelfTestFailed"):
            await reader.read(LINE, detect=False)
    assert all(process == "engine" for process, _ in reports)


async def test_proving_starts_one_engine_once(make_reader: MakeReader) -> None:
    """The next calls start no other one."""
    async with make_reader(engines=2) as reader:
        assert not reader.loaded
        while not await reader.prove():
            pass
        pids = reader._engines.pids
        assert len(pids) == 1
        assert await reader.prove()
        assert reader._engines.pids == pids


async def test_a_page_that_takes_too_long_is_cancelled(make_reader: MakeReader) -> None:
    """Its engine is stopped, and the next page is read."""
    page = to_bytes(render_page([["Many lines on a page", f"number {n}"] for n in range(60)]))
    async with make_reader(read_timeout_s=0.2) as reader:
        await reader.warm()
        with pytest.raises(ReadingTimeout) as refusal:
            await reader.read(page)
        assert refusal.value.step == "reading"
        reader._pipeline._read_timeout_s = 60
        [line] = await reader.read(LINE, detect=False)
        assert line.text.replace(" ", "") == "47110815"


async def test_engines_are_replaced_after_max_readings(make_reader: MakeReader) -> None:
    """No page fails for that."""
    async with make_reader(max_readings=2) as reader:
        pids = []
        for _ in range(5):
            await reader.read(LINE, detect=False)
            pids += reader._engines.pids
        assert len(set(pids)) >= 2
        assert reader.deaths == 0


def memory_of(pid: int) -> Iterator[bytes]:
    """Yield the content of a process's writable memory, mapping by mapping."""
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, permissions = line.split()[:2]
            if not permissions.startswith("rw"):
                continue
            first, last = (int(number, 16) for number in span.split("-"))
            memory.seek(first)
            yield memory.read(last - first)


@pytest.mark.parametrize("released", [True, False])
async def test_pixels_of_a_page_do_not_stay(
    make_reader: MakeReader, tmp_path: Path, *, released: bool
) -> None:
    """Once a page is read, what was cropped from it is not in the engine's memory any more.

    Control: with glibc's defaults for freed blocks it is.
    """
    launcher = LAUNCHER
    if not released:
        bootstrap = tmp_path / "bootstrap.py"
        bootstrap.write_text(
            changed_bootstrap("import model.sandbox.kernel as k; k.release_free_memory = int"),
            encoding="utf-8",
        )
        defaults = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20)}
        launcher = Launcher(bootstrap, {**ALLOCATOR, "engine": defaults})
    colour = (241, 238, 227)
    page = np.asarray(render_page([["TEA", "12.50"], ["MILK", "3.99"]])).copy()
    page[(page == 255).all(axis=2)] = colour
    async with make_reader(launcher=launcher) as reader:
        [read] = await reader.read(to_bytes(Image.fromarray(page)))
        assert "12.50" in read.text
        try:
            memory = list(memory_of(reader._engines.pids[0]))
        except PermissionError:
            pytest.skip("only root may read a restricted process's memory")
    found_px = sum(part.count(bytes(colour) * 40) for part in memory) * 40
    assert found_px == 0 if released else found_px > page.size // 10
