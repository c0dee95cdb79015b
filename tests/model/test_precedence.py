"""A caller beside another's flood, with engines that read."""

import asyncio
import contextlib
import signal

import pytest

from model.reader import Reader
from model.sizing import this_machine
from model.workers.process import Process
from tests.model.conftest import MakeReader
from tests.model.images import render_line, render_page, to_bytes
from tests.model.processes import until

pytestmark = pytest.mark.anyio
LINE = to_bytes(render_line("4711 0815"))
PAGE = to_bytes(render_page([["Many lines on a page", f"number {n}"] for n in range(40)]))


async def texts(reader: Reader, caller: str, upload: bytes) -> str:
    """Return the text that a caller gets."""
    with reader.slot(caller) as slot:
        return "".join([page.text async for page in slot.pages(upload)]).replace(" ", "")


async def test_a_page_that_was_stopped_is_read_to_its_end(
    make_reader: MakeReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its engine, which has only one slot, stops for another caller's line, and goes on."""
    sent: list[signal.Signals] = []
    send = Process._signal

    def noting(process: Process, number: signal.Signals) -> None:
        sent.append(number)
        send(process, number)

    monkeypatch.setattr(Process, "_signal", noting)
    async with (
        make_reader(spare_engines=1, decoders=2, threads=this_machine().processors) as reader,
        contextlib.AsyncExitStack() as stack,
    ):
        for caller in "ab":  # the spare engine starts, too
            lease = await stack.enter_async_context(reader._engines.lease(caller))
            await lease.worker()
        await stack.aclose()
        flood = [asyncio.create_task(texts(reader, "flood", PAGE)) for _ in range(2)]
        await until(lambda: reader.running)
        pages = reader._pipeline.precedence._pages
        await until(lambda: any(page.leased and page.threads for page in pages))
        assert await texts(reader, "one", LINE) == "47110815"
        assert reader._engines.started == 2
        first, second = await asyncio.gather(*flood)
    assert sent[:2] == [signal.SIGSTOP, signal.SIGCONT]
    assert first == second
    assert first.startswith("Manylinesonapage")
    assert first.endswith("number39")
