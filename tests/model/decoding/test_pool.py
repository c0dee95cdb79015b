"""A process for each page: its way, its end, and what it may say."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import model.workers.process
from model.decoding.pool import Decoders
from model.errors import ReaderDied, ReadingError, ReadingTimeout, UnreadableImage
from model.workers import memfd
from tests.model.decoding.pdfs import chinese_pdf, pdf
from tests.model.drawing import to_bytes
from tests.model.processes import children_of, descriptors_of, is_running, open_descriptors, until

pytestmark = pytest.mark.anyio

SMALL = to_bytes(Image.new("RGB", (30, 20), (200, 100, 50)))
LARGE = to_bytes(Image.effect_noise((3000, 2000), 90).convert("RGB"), "JPEG")
# A stand-in for the zygote and its decoder in one: it answers as `lie` says.
ROGUE = """
import json, os, socket, sys, time
end = socket.socket(fileno=int(sys.argv[3]))
end.recv(9999)
end.send(b'{"sequence": 1}')
while True:
    data, (upload, room, answer), _, _ = socket.recv_fds(end, 9999, 3)
    sequence = json.loads(data)["sequence"]
    page = {"width": 3, "height": 2, "mode": "RGB", "pages": 1, "document": False}
    %s
    end.send(json.dumps({"ended": sequence, "status": 0}).encode())
"""
SAY = "os.write(answer, json.dumps(page | %s).encode())"


@contextlib.asynccontextmanager
async def running(reports: list[Any] | None = None, **overrides: Any) -> AsyncIterator[Decoders]:
    """Make Decoders with small defaults, and end them afterwards."""
    told = [] if reports is None else reports
    values: dict[str, Any] = {
        "size": 1,
        "max_pixels": 10_000_000,
        "dpi": 72,
        "timeout_s": 60,
        "start_timeout_s": 60,
        "seccomp": True,
        "report": lambda process, cause: told.append((process, cause)),
    }
    decoders = Decoders(**{**values, **overrides})
    try:
        yield decoders
    finally:
        await decoders.unload()


async def decode(decoders: Decoders, data: bytes, page: int = 1) -> tuple[int, int, bytes]:
    """Return a page's measures and pixels."""
    upload = memfd.copy("upload", data)
    try:
        found, _ = await decoders.decode(upload, len(data), page)
        pixels = memfd.read(found.pixels, found.width * found.height * 3)
        os.close(found.pixels)
        return found.width, found.height, pixels
    finally:
        os.close(upload)


async def under_way(decoders: Decoders) -> tuple["asyncio.Task[Any]", int, int]:
    """Begin a page that takes a while; return its task, the zygote and the page's process."""
    await decoders.warm()
    [zygote] = decoders.pids
    task = asyncio.create_task(decode(decoders, LARGE))
    await until(lambda: children_of(zygote))
    [child] = children_of(zygote)
    return task, zygote, child


async def test_images_and_documents_become_pixels() -> None:
    """The real way: forked, locked, decoded, ended, sealed."""
    async with running() as decoders:
        assert await decode(decoders, SMALL) == (30, 20, bytes((200, 100, 50)) * 600)
        width, height, pixels = await decode(decoders, pdf("ONE", "TWO"), 2)
        assert (width, height, len(pixels)) == (240, 80, 240 * 80 * 3)
        assert decoders.deaths == 0


async def test_a_decoder_is_gone_before_its_answer_is_used() -> None:
    """When a page is there, the process that made it is not; the next gets another."""
    async with running() as decoders:
        await decoders.warm()
        [zygote] = decoders.pids
        for _ in range(3):
            await decode(decoders, SMALL)
            assert children_of(zygote) == set()
        assert decoders.pids == [zygote]


async def test_a_decoder_holds_nothing_but_its_own() -> None:
    """Null devices, upload, room, answer: no channel, no other caller's descriptors."""
    # It takes long enough to be looked at, on a machine that is fast and on one that is not.
    slow = to_bytes(Image.effect_noise((3000, 3000), 90).convert("RGB"))
    async with running(size=2, timeout_s=30) as decoders:
        await decoders.warm()
        [zygote] = decoders.pids
        tasks = [asyncio.create_task(decode(decoders, slow)) for _ in range(2)]
        await until(lambda: len(children_of(zygote)) == 2)
        # It closes the others' first of all, but not before it is there.
        await until(lambda: all(len(descriptors_of(each)) <= 6 for each in children_of(zygote)))
        held = [descriptors_of(child) for child in children_of(zygote)]
        await asyncio.gather(*tasks)
    for links in held:
        files = [link.split(":")[0] for link in links]
        assert files.count("/dev/null") == 3
        assert sum("memfd" in link for link in links) == 2
        assert sum(link.startswith("pipe") for link in links) == 1
        assert len(links) == 6


async def test_over_time_is_told_and_costs_its_decoder_only() -> None:
    """The page that takes too long is given up, the zygote forks on."""
    async with running(timeout_s=0.02) as decoders:
        await decoders.warm()
        pids = decoders.pids
        with pytest.raises(ReadingTimeout) as refusal:
            await decode(decoders, LARGE)
        assert (refusal.value.step, refusal.value.limit_s) == ("decoding", 0.02)
        assert children_of(pids[0]) == set()
        assert decoders.pids == pids


async def test_a_caller_that_leaves_ends_its_decoder() -> None:
    """Nobody waits for the pixels, so nobody makes them."""
    async with running() as decoders:
        task, _, child = await under_way(decoders)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: not is_running(child))
        assert (await decode(decoders, SMALL))[0] == 30


async def test_a_killed_decoder_is_its_file_s_fault() -> None:
    """Whoever killed it, the kernel short of memory or a signal: 422, told once, served on."""
    reports: list[Any] = []
    async with running(reports) as decoders:
        task, zygote, child = await under_way(decoders)
        os.kill(child, signal.SIGSEGV)
        with pytest.raises(UnreadableImage):
            await task
        assert reports == [("decoder", "SIGSEGV")]
        assert decoders.pids == [zygote]


async def test_a_killed_zygote_costs_what_is_under_way() -> None:
    """Its decoders end with it, their pages are told so, the next page gets a new one."""
    reports: list[Any] = []
    async with running(reports) as decoders:
        task, zygote, child = await under_way(decoders)
        os.kill(zygote, signal.SIGKILL)
        with pytest.raises(ReaderDied):
            await task
        await until(lambda: not is_running(child))
        assert (await decode(decoders, SMALL))[0] == 30
        assert reports == [("zygote", "SIGKILL")]


async def test_too_much_memory_is_the_file_s_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that wants more than its share is unreadable; with the share as it is, it is read."""
    async with running() as decoders:
        assert (await decode(decoders, LARGE))[0] == 3000
    monkeypatch.setattr("model.decoding.pool._BYTES_PER_PIXEL", 0)
    monkeypatch.setattr("model.decoding.pool._BYTES_BESIDE", 4 << 20)
    async with running() as decoders:
        with pytest.raises(UnreadableImage):
            await decode(decoders, LARGE)
        assert (await decode(decoders, SMALL))[0] == 30


async def test_nothing_is_leaked() -> None:
    """Good, bad, late and left pages: as many descriptors afterwards as before."""
    async with running(size=2) as decoders:
        await decode(decoders, SMALL)
        before = open_descriptors()
        for turn in range(20):
            pages = [SMALL, SMALL[:40], b"", LARGE]
            tasks = [asyncio.create_task(decode(decoders, data)) for data in pages]
            await asyncio.sleep(0.003 * turn)
            tasks[turn % 4].cancel()
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                assert isinstance(result, tuple | ReadingError | asyncio.CancelledError)
        await decode(decoders, SMALL)
        assert open_descriptors() == before


Rogue = Callable[[str], None]


@pytest.fixture
def rogue(monkeypatch: pytest.MonkeyPatch) -> Rogue:
    """Return a function that makes the zygote lie as these lines do."""

    def become(lines: str) -> None:
        monkeypatch.setattr(model.workers.process, "_CODE", ROGUE % lines.replace("\n", "\n    "))

    return become


async def test_the_stand_in_is_believed_where_it_tells_the_truth(rogue: Rogue) -> None:
    """Else the lies below would prove nothing."""
    rogue("os.pwrite(room, bytes(range(18)), 0); " + SAY % "{}")
    async with running() as decoders:
        assert await decode(decoders, SMALL) == (3, 2, bytes(range(18)))


LIES = {
    "too large": SAY % "{'width': 5000, 'height': 5000}",
    "no width": SAY % "{'width': 0}",
    "negative": SAY % "{'width': -3, 'height': -2}",
    "no number": SAY % "{'width': '3'}",
    "a truth value": SAY % "{'pages': True}",
    "endless": SAY % "{'width': float('inf')}",
    "another mode": SAY % "{'mode': 'RGBA'}",
    "no measures": "os.write(answer, b'{}')",
    "a list": "os.write(answer, b'[1]')",
    "no JSON": "os.write(answer, b'{')",
    "nothing": "pass",
    "deep": "os.write(answer, b'[' * 4000)",
    "unknown refusal": 'os.write(answer, b\'{"error": "Busy"}\')',
    "a refusal that is none": "os.write(answer, b'{\"error\": [1]}')",
    "too few pixels": "os.ftruncate(room, 5); " + SAY % "{}",
}


@pytest.mark.parametrize("lie", LIES.values(), ids=list(LIES))
async def test_a_lie_is_not_believed(rogue: Rogue, lie: str) -> None:
    """A decoder that a file took over gets nothing past the parent, and is told of once."""
    rogue(lie)
    reports: list[Any] = []
    async with running(reports) as decoders:
        with pytest.raises(UnreadableImage):
            await decode(decoders, SMALL)
    assert len(reports) == 1


async def test_a_zygote_that_speaks_unasked_is_ended(rogue: Rogue) -> None:
    """It would tell one page's end as another's."""
    rogue("end.send(json.dumps({'ended': 99, 'status': 0}).encode()); time.sleep(60)")
    async with running() as decoders:
        with pytest.raises(ReaderDied, match="nobody asked"):
            await decode(decoders, SMALL)


@pytest.mark.parametrize("name", ["STSong-Light", "SimSun", "MicrosoftYaHei,Bold"])
@pytest.mark.parametrize("remembered", [True, False])
async def test_chinese_fonts_of_the_machine_are_there(
    monkeypatch: pytest.MonkeyPatch, name: str, *, remembered: bool
) -> None:
    """A document may name a font and not bring it; unless it was read before, it stays blank."""
    if not remembered:
        without = "import model.decoding.pdf_fonts as fonts; fonts.remember_fonts = int; main()"
        monkeypatch.setattr(
            model.workers.process, "_CODE", model.workers.process._CODE.replace("main()", without)
        )
    async with running() as decoders:
        _, _, pixels = await decode(decoders, chinese_pdf("发票号码", name))
    if remembered and min(pixels) == 255:
        pytest.skip("no Chinese font is installed")
    assert (min(pixels) < 100) == remembered


async def test_a_zygote_that_starts_late_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page is told so, and no process is left."""
    late = "import os, sys, time; sys.stdin.close(); time.sleep(60)"
    monkeypatch.setattr(model.workers.process, "_CODE", late)
    async with running(start_timeout_s=0.3) as decoders:
        for _ in range(2):
            with pytest.raises(ReaderDied, match=r"did not start in 0\.3 s"):
                await decode(decoders, SMALL)
        assert decoders.pids == []
    await until(lambda: not any(late in each for each in command_lines(os.getpid())))


def command_lines(pid: int) -> list[str]:
    """Return what a process's children were started with; one may end meanwhile."""
    found = []
    for child in children_of(pid):
        with contextlib.suppress(OSError):
            found.append(Path(f"/proc/{child}/cmdline").read_text())
    return found
