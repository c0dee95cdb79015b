"""Decoding in a process for each page: its start, its end and what it holds."""

import asyncio
import os
import signal
from typing import Any

import pytest
from PIL import Image

from model.decoding.pool import DecoderPool
from model.errors import ReaderDied, ReadingError, ReadingTimeout, UnreadableImage
from model.page_warnings import PageWarning
from model.workers.launcher import LAUNCHER
from tests.model.decoding.decoders import LARGE, SMALL, decode, running, warnings_of
from tests.model.decoding.pdfs import chinese_pdf, pdf
from tests.model.images import to_bytes
from tests.model.launchers import MakeLauncher, changed_bootstrap
from tests.model.processes import children_of, descriptors_of, is_running, open_descriptors, until

pytestmark = pytest.mark.anyio


async def under_way(decoders: DecoderPool) -> tuple["asyncio.Task[Any]", int, int]:
    """Start to decode a large page; return its task, the zygote and the decoder."""
    await decoders.warm()
    [zygote] = decoders.pids
    task = asyncio.create_task(decode(decoders, LARGE))
    await until(lambda: children_of(zygote))
    [child] = children_of(zygote)
    return task, zygote, child


async def test_images_and_documents_are_decoded() -> None:
    """By real processes, without a death."""
    async with running() as decoders:
        assert await decode(decoders, SMALL) == (30, 20, bytes((200, 100, 50)) * 600)
        width, height, pixels = await decode(decoders, pdf("ONE", "TWO"), 2)
        assert (width, height, len(pixels)) == (240, 80, 240 * 80 * 3)
        assert decoders.deaths == 0


async def test_a_decoder_has_exited_before_its_response_is_used() -> None:
    """Each page has a decoder of its own; the zygote stays the same."""
    async with running() as decoders:
        await decoders.warm()
        [zygote] = decoders.pids
        for _ in range(3):
            await decode(decoders, SMALL)
            assert children_of(zygote) == set()
        assert decoders.pids == [zygote]


async def test_a_decoder_holds_nothing_but_its_own() -> None:
    """Null devices, upload, output buffer and pipe: no channel, no other caller's descriptors."""
    # Large enough that both decoders can be inspected on a fast machine, too.
    slow = to_bytes(Image.effect_noise((3000, 3000), 90).convert("RGB"))
    async with running(size=2, timeout_s=30) as decoders:
        await decoders.warm()
        [zygote] = decoders.pids
        tasks = [asyncio.create_task(decode(decoders, slow)) for _ in range(2)]
        await until(lambda: len(children_of(zygote)) == 2)
        # It closes the descriptors of others first, but some time after the fork.
        await until(lambda: all(len(descriptors_of(each)) <= 6 for each in children_of(zygote)))
        held = [descriptors_of(child) for child in children_of(zygote)]
        await asyncio.gather(*tasks)
    for links in held:
        files = [link.split(":")[0] for link in links]
        assert files.count("/dev/null") == 3
        assert sum("memfd" in link for link in links) == 2
        assert sum(link.startswith("pipe") for link in links) == 1
        assert len(links) == 6


async def test_a_timeout_kills_only_its_decoder() -> None:
    """The error has step and limit; the zygote stays."""
    async with running(timeout_s=0.02) as decoders:
        await decoders.warm()
        pids = decoders.pids
        with pytest.raises(ReadingTimeout) as refusal:
            await decode(decoders, LARGE)
        assert (refusal.value.step, refusal.value.limit_s) == ("decoding", 0.02)
        assert children_of(pids[0]) == set()
        assert decoders.pids == pids


async def test_a_cancelled_caller_s_decoder_is_killed() -> None:
    """The next page is decoded."""
    async with running() as decoders:
        task, _, child = await under_way(decoders)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: not is_running(child))
        assert (await decode(decoders, SMALL))[0] == 30


async def test_a_decoder_s_crash_is_its_file_s_fault() -> None:
    """It is reported once, and the zygote stays."""
    reports: list[Any] = []
    async with running(reports) as decoders:
        task, zygote, child = await under_way(decoders)
        os.kill(child, signal.SIGSEGV)
        with pytest.raises(UnreadableImage):
            await task
        assert reports == [("decoder", "SIGSEGV")]
        assert decoders.pids == [zygote]


async def test_a_killed_zygote_ends_its_decoders() -> None:
    """Their pages fail, and the next page gets a new zygote."""
    reports: list[Any] = []
    async with running(reports) as decoders:
        task, zygote, child = await under_way(decoders)
        os.kill(zygote, signal.SIGKILL)
        with pytest.raises(ReaderDied):
            await task
        await until(lambda: not is_running(child))
        assert (await decode(decoders, SMALL))[0] == 30
        assert reports == [("zygote", "SIGKILL")]


async def test_a_page_that_needs_too_much_memory_is_unreadable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Control: with the limits as they are, it is decoded."""
    async with running() as decoders:
        assert (await decode(decoders, LARGE))[0] == 3000
    monkeypatch.setattr("model.decoding.pool._BYTES_PER_PIXEL", 0)
    monkeypatch.setattr("model.decoding.pool._EXTRA_BYTES", 4 << 20)
    async with running() as decoders:
        with pytest.raises(UnreadableImage):
            await decode(decoders, LARGE)
        assert (await decode(decoders, SMALL))[0] == 30


async def test_an_avif_is_decoded_in_the_sandbox() -> None:
    """Its decoder would start threads, which would end the process."""
    image = Image.effect_noise((640, 480), 60).convert("RGB")
    async with running() as decoders:
        assert (await decode(decoders, to_bytes(image, "AVIF")))[:2] == (640, 480)
        with pytest.raises(UnreadableImage):
            await decode(decoders, to_bytes(image, "AVIF")[:500])


async def test_no_descriptor_is_leaked() -> None:
    """After good, corrupt, slow and cancelled pages there are as many as before."""
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


@pytest.mark.parametrize("name", ["STSong-Light", "SimSun", "MicrosoftYaHei,Bold"])
@pytest.mark.parametrize("cached", [True, False])
async def test_the_machine_s_chinese_fonts_are_cached(
    launcher_of: MakeLauncher, name: str, *, cached: bool
) -> None:
    """A document may name a font without embedding it. Control: without the cache it is blank."""
    changes = "import model.decoding.pdf_fonts as fonts; fonts.cache_fonts = int"
    launcher = LAUNCHER if cached else launcher_of(changed_bootstrap(changes))
    async with running(launcher=launcher) as decoders:
        _, _, pixels = await decode(decoders, chinese_pdf("发票号码", name))
    if cached and min(pixels) == 255:
        pytest.skip("no Chinese font is installed")
    assert (min(pixels) < 100) == cached


@pytest.mark.parametrize(
    ("name", "ordering", "encoding", "warned"),
    [
        ("HeiseiMin-W3", "Japan1", "UniJIS-UCS2-H", True),
        ("HYSMyeongJo-Medium", "Korea1", "UniKS-UCS2-H", True),
        ("STSong-Light", "GB1", "UniGB-UCS2-H", False),
    ],
)
async def test_a_font_that_no_one_can_read_is_a_warning(
    name: str, ordering: str, encoding: str, *, warned: bool
) -> None:
    """Japanese or Korean text whose font is not in the file would be blank, or misread."""
    async with running() as decoders:
        warnings = await warnings_of(decoders, chinese_pdf("一二三", name, ordering, encoding))
    assert (PageWarning.FONT_NOT_EMBEDDED in warnings) == warned


async def test_a_zygote_that_starts_late_is_killed(launcher_of: MakeLauncher) -> None:
    """The page fails, and no process is left."""
    before = children_of(os.getpid())
    launcher = launcher_of("import time; time.sleep(60)")
    async with running(launcher=launcher, start_timeout_s=0.3) as decoders:
        for _ in range(2):
            with pytest.raises(ReaderDied, match=r"did not start in 0\.3 s"):
                await decode(decoders, SMALL)
        assert decoders.pids == []
    await until(lambda: children_of(os.getpid()) <= before)
