"""The Reader with real files and processes, some of which are killed."""

import asyncio
import io
import os
import signal
from collections.abc import Sequence
from functools import partial

import pytest
from PIL import Image

from model.errors import (
    Busy,
    ReaderDied,
    ReadingError,
    TooManyPixels,
    UnreadableImage,
    UnsupportedImageType,
    WeightsError,
)
from model.reader import Page, PageImage, Reader, ReadingOptions, WordMode
from tests.model.conftest import MakeReader
from tests.model.images import render_columns, render_line, render_page, render_table, to_bytes
from tests.model.processes import open_descriptors, until
from tests.model.vision.overprint.seals import RED, ROWS, contract, seal_mask, stamp
from tests.model.vision.overprint.watermarks import ROWS as WATERMARKED
from tests.model.vision.overprint.watermarks import TILES, tilted

pytestmark = pytest.mark.anyio

LINE = to_bytes(render_line("4711 0815"))
LONG_PAGE = to_bytes(render_page([["Many lines on a page", f"number {n}"] for n in range(60)]))


CELLS = [["Item", "Result"], ["Blood", "slightly raised\nrepeat later"]]


async def read_one(reader: Reader, data: bytes, *, detect: bool = True) -> Page:
    """Read an image of one page."""
    [page] = await reader.read(data, detect=detect)
    return page


def compact(reading: Page) -> str:
    """Return the text without spaces."""
    return reading.text.replace(" ", "")


async def test_a_page_is_read(make_reader: MakeReader) -> None:
    """Lines, polygons, size, model and times of a rendered receipt; the cells of a table."""
    async with make_reader() as reader:
        assert not reader.loaded
        reading = await read_one(
            reader, to_bytes(render_page([["TEA", "12.50"], ["MILK", "3.99"]]))
        )
        assert reader.loaded
        assert [line.text for line in reading.lines] == ["TEA", "12.50", "MILK", "3.99"]
        assert reading.text == "TEA\n12.50\n\nMILK\n3.99"  # rows so far apart are two blocks
        assert (reading.width, reading.height) == (760, 180)
        assert reading.model == "ppocrv3-det+sealed-crnn-v2"
        assert set(reading.timing_ms) == {"decode", "detect", "recognise", "queue", "total"}
        assert all(value >= 0 for value in reading.timing_ms.values())
        for line in reading.lines:
            assert 0.5 <= line.confidence <= 1
            assert len(line.polygon) == 4
            assert all(0 <= x < 760 and 0 <= y < 180 for x, y in line.polygon)
        assert (reading.rotation, round(reading.skew)) == (0, 0)
        table = await read_one(reader, to_bytes(render_table(CELLS)))
        assert compact(table) == "Item\nResult\nBlood\nslightlyraised\nrepeatlater"
        assert [cell.lines for cell in table.blocks[0].cells] == [(0,), (1,), (2,), (3, 4)]
        assert (reader.running, reader.state.waiting, reader.deaths) == (0, 0, 0)
    assert not reader.loaded


async def _charge(reader: Reader, charges: list[tuple[int, int]], pages: int) -> None:
    charges.append((pages, reader.running))


async def test_the_order_of_a_page_and_how_it_is_turned(make_reader: MakeReader) -> None:
    """Both reach the caller; by rows, two columns are one block."""
    left = ["The harbour office opened", "its reading room Monday", "after eleven months. The"]
    right = ["Farmers expect a harvest", "that is better than most", "Rain fell when we needed"]
    data = to_bytes(render_columns([left, right]).rotate(180))
    async with make_reader() as reader:
        for by_columns, texts in (
            (True, [*left, *right]),
            (False, [text for row in zip(left, right, strict=True) for text in row]),
        ):
            options = ReadingOptions(by_columns=by_columns)
            charges: list[tuple[int, int]] = []
            with reader.slot("", partial(_charge, reader, charges)) as slot:
                [page] = [each async for each in slot.pages(data, options)]
            assert [line.text for line in page.lines] == texts
            assert (page.rotation, round(page.skew)) == (180, 0)
            assert charges == [(1, 0)]  # one page, none of which was in an engine yet


async def test_words_and_the_image_of_a_page(make_reader: MakeReader) -> None:
    """Only if asked for, by a restricted process; each word lies in its line."""
    data = to_bytes(render_page([["FLAT WHITE 9.60"], ["ALMOND CROISSANT"]]))
    async with make_reader() as reader:
        for image in (None, *PageImage):
            mode = WordMode.WORD if image else WordMode.NONE
            dpi = None if image is PageImage.ANNOTATED_PNG else 100  # half of the page's 200
            options = ReadingOptions(words=mode, image=image, image_dpi=dpi)
            with reader.slot("") as slot:
                [page] = [each async for each in slot.pages(data, options)]
            assert ("image" in page.timing_ms) is (image is not None)
            if image is None:
                assert page.image is None
                assert not any(line.words for line in page.lines)
                continue
            with Image.open(io.BytesIO(page.image or b"")) as encoded:
                sides = (page.width, page.height)
                assert encoded.size == page.image_size
                assert page.image_size == tuple(round(side / (2 if dpi else 1)) for side in sides)
                assert encoded.format == ("PNG" if image is PageImage.ANNOTATED_PNG else "JPEG")
            words = [[word.text for word in line.words] for line in page.lines]
            assert words == [["FLAT", "WHITE", "9.60"], ["ALMOND", "CROISSANT"]]
        assert reader.deaths == 0


async def test_text_under_seals_and_watermarks_is_read(make_reader: MakeReader) -> None:
    """By a restricted process: it takes steps that other pages do not."""
    stamped = Image.fromarray(stamp(contract(), seal_mask("round"), (230, 40), RED))
    async with make_reader() as reader:
        for page, rows in ((stamped, ROWS), (tilted(170, TILES), WATERMARKED)):
            reading = await read_one(reader, to_bytes(page))
            assert reading.text.splitlines() == [text for row in rows for text in row]
        assert reader.deaths == 0


async def test_bad_files_are_refused(make_reader: MakeReader) -> None:
    """Each with its error, and the same processes read the next file."""
    async with make_reader(max_pixels=10_000) as reader:
        small = to_bytes(Image.new("RGB", (90, 90), "white"))
        assert (await read_one(reader, small)).lines == ()
        pids = reader._decoders.pids + reader._engines.pids
        with pytest.raises(UnsupportedImageType):
            await read_one(reader, b"no image")
        with pytest.raises(UnreadableImage):
            await read_one(reader, small[:60])
        with pytest.raises(TooManyPixels) as refusal:
            await read_one(reader, to_bytes(Image.new("L", (200, 60))))
        assert (refusal.value.pixels, refusal.value.limit) == (12_000, 10_000)
        assert (await read_one(reader, small)).text == ""
        assert reader._decoders.pids + reader._engines.pids == pids
        assert reader.deaths == 0


@pytest.mark.parametrize("victim", ["_decoders", "_engines"])
async def test_a_process_that_dies_while_idle_is_replaced(
    make_reader: MakeReader, victim: str
) -> None:
    """The next reading succeeds."""
    async with make_reader() as reader:
        await reader.warm()
        for pid in getattr(reader, victim).pids:
            os.kill(pid, signal.SIGKILL)
        await until(lambda: reader.deaths)
        assert compact(await read_one(reader, LINE, detect=False)) == "47110815"
        assert reader.deaths == 1


async def test_a_killed_engine_fails_only_its_own_reading(make_reader: MakeReader) -> None:
    """The reading that waited succeeds."""
    async with make_reader() as reader:
        await reader.warm()
        page = asyncio.create_task(read_one(reader, LONG_PAGE))
        await until(lambda: reader.running)
        line = asyncio.create_task(read_one(reader, LINE, detect=False))
        os.kill(reader._engines.pids[0], signal.SIGKILL)
        with pytest.raises(ReaderDied):
            await page
        assert compact(await line) == "47110815"
        assert reader.deaths == 1


async def test_a_full_queue_is_busy_at_once(make_reader: MakeReader) -> None:
    """With one reading and one waiting, the third request is refused before either ends."""
    async with make_reader(max_waiting=1) as reader:
        await reader.warm()
        admitted = [asyncio.create_task(read_one(reader, LONG_PAGE)) for _ in range(2)]
        await until(lambda: reader.running)
        assert (reader.running, reader.state.waiting) == (1, 1)
        with pytest.raises(Busy) as refusal:
            await read_one(reader, LINE)
        assert not any(task.done() for task in admitted)
        assert refusal.value.retry_after_s > 0
        admitted[1].cancel()
        await asyncio.wait(admitted[1:])
        assert compact(await read_one(reader, LINE, detect=False)) == "47110815"
        assert (await admitted[0]).lines


async def test_a_cancelled_reading_frees_the_engine(make_reader: MakeReader) -> None:
    """The page is cancelled between two lines; the same engine reads the next."""
    async with make_reader() as reader:
        reader._engines._cancel_grace_s = 60
        await reader.warm()
        pids = reader._engines.pids
        page = asyncio.create_task(read_one(reader, LONG_PAGE))
        await until(lambda: reader.running)
        page.cancel()
        with pytest.raises(asyncio.CancelledError):
            await page
        assert compact(await read_one(reader, LINE, detect=False)) == "47110815"
        assert reader._engines.pids == pids
        assert reader.deaths == 0


@pytest.mark.parametrize("delay_s", [0.0, 0.3, 0.6, 0.9])
async def test_a_reading_may_be_cancelled_at_any_moment(
    make_reader: MakeReader, delay_s: float
) -> None:
    """In whichever step a page is then, the engine reads the next one."""
    async with make_reader(threads=2) as reader:
        reader._engines._cancel_grace_s = 60
        await reader.warm()
        page = asyncio.create_task(read_one(reader, LONG_PAGE))
        await until(lambda: reader.running)
        await asyncio.sleep(delay_s)
        page.cancel()
        await asyncio.wait([page])
        assert compact(await read_one(reader, LINE, detect=False)) == "47110815"
        assert reader.deaths == 0


def assert_own(nonces: Sequence[str], readings: Sequence[Page]) -> None:
    """Check that each caller has the text of its own image."""
    for nonce, reading in zip(nonces, readings, strict=True):
        assert compact(reading) == nonce


async def test_no_caller_gets_another_caller_s_text(make_reader: MakeReader) -> None:
    """Forty images with different numbers at the same time, two decoders and two engines."""
    nonces = [str(7_919 * n + 10_000_000) for n in range(40)]
    async with make_reader(engines=2, decoders=2) as reader:
        readings = await asyncio.gather(
            *(read_one(reader, to_bytes(render_line(nonce)), detect=False) for nonce in nonces)
        )
    assert_own(nonces, readings)
    # Control: two swapped results are detected.
    with pytest.raises(AssertionError):
        assert_own(nonces, [readings[1], readings[0], *readings[2:]])


async def test_idle_processes_are_stopped_and_started_again(make_reader: MakeReader) -> None:
    """After idle_s no process is left; the next reading starts new ones."""
    async with make_reader(idle_s=0.2) as reader:
        for _ in range(2):
            assert compact(await read_one(reader, LINE, detect=False)) == "47110815"
            await until(lambda: not reader.loaded and not reader._decoders.pids)
        assert reader.deaths == 0


async def test_no_descriptor_is_leaked(make_reader: MakeReader) -> None:
    """After two hundred readings, some refused, cancelled or killed, none is open."""
    async with make_reader(max_waiting=4) as reader:
        reader._engines._cancel_grace_s = 60
        await read_one(reader, LINE, detect=False)
        before = open_descriptors()
        for batch in range(40):
            images = [LINE, LINE[:200], b"", LINE, LINE]
            tasks = [asyncio.create_task(read_one(reader, data, detect=False)) for data in images]
            await asyncio.sleep(0.002 * (batch % 8))
            tasks[batch % 5].cancel()
            if batch == 20:
                os.kill(reader._engines.pids[0], signal.SIGKILL)
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                assert isinstance(result, Page | ReadingError | asyncio.CancelledError)
        await read_one(reader, LINE, detect=False)
        assert open_descriptors() == before


@pytest.mark.parametrize("wrong", [{"detector": "no-such"}, {"recogniser": "ppocrv3-det"}])
async def test_unknown_names_are_errors(make_reader: MakeReader, wrong: dict[str, str]) -> None:
    """The manifest has no such entry: the Reader can't be created."""
    with pytest.raises(WeightsError, match="there are"):
        async with make_reader(**wrong):
            pass
