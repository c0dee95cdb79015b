"""Processes start when they are needed, and none after the end."""

import asyncio
import os

import pytest

import model.workers.process
from model.errors import ReaderDied, UnsupportedImageType
from model.reading import Decoded
from tests.model.conftest import MakeReader
from tests.model.drawing import draw_line, draw_page, to_bytes
from tests.model.processes import children_of, until

pytestmark = pytest.mark.anyio

LINE = to_bytes(draw_line("4711 0815"))
PAGE = to_bytes(draw_page([["Many lines on a page", f"number {n}"] for n in range(30)]))
BROKEN = model.workers.process._CODE.replace("main()", "raise SystemExit(3)")


async def test_the_first_engine_starts_while_the_first_page_is_decoded(
    make_reader: MakeReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that has slept wakes in the longer of the two times, not in their sum."""
    async with make_reader() as reader:
        decode = reader._decoders.decode

        async def decode_late(*given: int) -> tuple[Decoded, float]:
            await until(lambda: reader._engines.started)
            return await decode(*given)

        monkeypatch.setattr(reader._decoders, "decode", decode_late)
        await reader.read(LINE, detect=False)
        assert reader._engines.started == 1


async def test_who_wakes_it_is_served_first(make_reader: MakeReader) -> None:
    """The others have come while the engine started, and get it after."""
    done: list[int] = []
    async with make_reader() as reader:

        async def read(number: int) -> None:
            await reader.read(LINE, detect=False)
            done.append(number)

        await asyncio.gather(*map(read, range(4)))
        assert done == [0, 1, 2, 3]
        assert reader._engines.started == 1


async def test_what_woke_it_may_leave(make_reader: MakeReader) -> None:
    """The engine goes on to start, for the next."""
    async with make_reader() as reader:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await reader.read(LINE, detect=False)
        await reader.read(LINE, detect=False)
        assert reader._engines.started == 1
        assert (reader.running, reader.waiting) == (0, 0)


async def test_a_refused_upload_leaves_no_engine_awake(make_reader: MakeReader) -> None:
    """What it woke goes to sleep again after idle_s, though nothing was read."""
    async with make_reader(idle_s=0.1) as reader:
        with pytest.raises(UnsupportedImageType):
            await reader.read(b"no image")
        await until(lambda: reader._engines.started and not reader._engines.pids)
        assert (reader.running, reader.waiting, reader.deaths) == (0, 0, 0)


async def test_after_an_engine_that_did_not_start_comes_one_that_does(
    make_reader: MakeReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reading that met the first is told so, the next is read."""
    async with make_reader() as reader:
        await reader._decoders.warm()
        with monkeypatch.context() as patched:
            patched.setattr(model.workers.process, "_CODE", BROKEN)
            with pytest.raises(ReaderDied):
                await reader.read(LINE, detect=False)
        [page] = await reader.read(LINE, detect=False)
        assert page.text.replace(" ", "") == "47110815"


@pytest.mark.parametrize("warm", [True, False], ids=["reading", "starting"])
async def test_closing_ends_what_is_under_way(make_reader: MakeReader, *, warm: bool) -> None:
    """And what waits: all of it fails, no process is left, none starts, later ones are refused."""
    before = children_of(os.getpid())
    reports: list[tuple[str, str]] = []
    async with make_reader(report=lambda *told: reports.append(told)) as reader:
        if warm:
            await reader.warm()
        pages = [asyncio.create_task(reader.read(PAGE)) for _ in range(3)]
        await until(lambda: reader.running or (not warm and children_of(os.getpid()) - before))
        await reader.aclose()
        for result in await asyncio.gather(*pages, return_exceptions=True):
            assert isinstance(result, ReaderDied)
        assert children_of(os.getpid()) == before
        assert not reports
        with pytest.raises(ReaderDied, match="closed"):
            await reader.read(LINE)
    assert children_of(os.getpid()) == before
