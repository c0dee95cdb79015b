"""Processes start when they are needed, and none start after the Reader is closed."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from model.errors import ReaderDied, UnsupportedImageType
from model.reading import DecodedImage
from model.workers.launcher import ALLOCATOR, Launcher
from tests.model.conftest import MakeReader
from tests.model.images import render_line, render_page, to_bytes
from tests.model.launchers import changed_bootstrap
from tests.model.processes import children_of, until

pytestmark = pytest.mark.anyio

LINE = to_bytes(render_line("4711 0815"))
PAGE = to_bytes(render_page([["Many lines on a page", f"number {n}"] for n in range(30)]))


async def test_the_first_engine_starts_while_the_first_page_is_decoded(
    make_reader: MakeReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first reading takes the longer of both times, not their sum."""
    async with make_reader() as reader:
        decode = reader._decoders.decode

        async def decode_late(*given: Any) -> tuple[DecodedImage, float]:
            await until(lambda: reader._engines.started)
            return await decode(*given)

        monkeypatch.setattr(reader._decoders, "decode", decode_late)
        await reader.read(LINE, detect=False)
        assert reader._engines.started == 1


async def test_the_first_request_is_served_first(make_reader: MakeReader) -> None:
    """The others arrived while the engine started, and get the same one afterwards."""
    done: list[int] = []
    async with make_reader() as reader:

        async def read(number: int) -> None:
            await reader.read(LINE, detect=False)
            done.append(number)

        await asyncio.gather(*map(read, range(4)))
        assert done == [0, 1, 2, 3]
        assert reader._engines.started == 1


async def test_a_request_stops_the_idle_timer(make_reader: MakeReader) -> None:
    """Its processes are not stopped under it, however long it takes."""
    async with make_reader(idle_s=60) as reader:
        await reader.read(LINE, detect=False)
        assert reader._idle.runs
        reading = asyncio.create_task(reader.read(LINE, detect=False))
        await until(lambda: reader.state.waiting + reader.running)
        assert not reader._idle.runs
        assert (await reading)[0].text == "4711 0815"


async def test_a_cancelled_request_does_not_stop_the_start(make_reader: MakeReader) -> None:
    """The engine that it started is there for the next request."""
    async with make_reader() as reader:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await reader.read(LINE, detect=False)
        await reader.read(LINE, detect=False)
        assert reader._engines.started == 1
        assert (reader.running, reader.state.waiting) == (0, 0)


async def test_an_engine_started_for_a_refused_upload_is_stopped(make_reader: MakeReader) -> None:
    """It ends after idle_s, although it read nothing."""
    async with make_reader(idle_s=0.1) as reader:
        with pytest.raises(UnsupportedImageType):
            await reader.read(b"no image")
        await until(lambda: reader._engines.started and not reader._engines.pids)
        assert (reader.running, reader.state.waiting, reader.deaths) == (0, 0, 0)


async def test_after_an_engine_that_did_not_start_another_one_does(
    make_reader: MakeReader, tmp_path: Path
) -> None:
    """The request that needed the first one fails, the next is read."""
    bootstrap = tmp_path / "bootstrap.py"
    bootstrap.write_text(changed_bootstrap(), encoding="utf-8")
    async with make_reader(launcher=Launcher(bootstrap, ALLOCATOR)) as reader:
        await reader._decoders.warm()
        bootstrap.write_text("raise SystemExit(3)", encoding="utf-8")
        with pytest.raises(ReaderDied):
            await reader.read(LINE, detect=False)
        bootstrap.write_text(changed_bootstrap(), encoding="utf-8")
        [page] = await reader.read(LINE, detect=False)
        assert page.text.replace(" ", "") == "47110815"


@pytest.mark.parametrize("warm", [True, False], ids=["reading", "starting"])
async def test_closing_stops_everything(make_reader: MakeReader, *, warm: bool) -> None:
    """All readings fail, no process is left or starts, and later readings are refused."""
    before = children_of(os.getpid())
    reports: list[tuple[str, str]] = []
    async with make_reader(report=lambda *report: reports.append(report)) as reader:
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
