"""One page on a worker: the page, or why there is none; in company, or alone."""

import asyncio
import hashlib
import json
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cluster.gate import Gate
from cluster.node import reader_of
from cluster.page_task import PageTasks
from sealed_ocr_client.cluster.failures import UnusableCluster
from sealed_ocr_client.cluster.page_reader import _page_of
from sealed_ocr_client.errors import Refused, UnreadableFile
from settings import load_settings

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[2]
RECEIPT = ROOT / "examples" / "receipt.png"
REQUEST: dict[str, Any] = {
    "version": "1",
    "language": "en",
    "topic": "t",
    "key": "k",
    "request_id": "r",
    "words": None,
    "order": None,
    "min_confidence": None,
    "detect": True,
    "alone": False,
    "ranges": [(1, None)],
    "path": str(RECEIPT),
    "sha256": hashlib.sha256(RECEIPT.read_bytes()).hexdigest(),
}


@pytest.fixture
async def tasks() -> AsyncIterator[PageTasks]:
    """A worker's reader."""
    settings = load_settings(ROOT / "settings.toml", {"OCR_ENGINE__PROCESSES": "1"})
    reader, threads = reader_of(settings)
    assert threads == 2
    yield PageTasks(reader, "1")
    await reader.aclose()


async def test_a_page_or_why_there_is_none(tasks: PageTasks, tmp_path: Path) -> None:
    """A shared file is read if it is the client's; what is wrong is a result and no exception."""
    said: list[str] = []

    async def announce(topic: str, key: str, *, begins: bool) -> None:
        said.append(f"{topic} {key} {begins}")

    async def nobody(topic: str, key: str, *, begins: bool) -> None:  # noqa: ARG001
        raise ConnectionResetError

    found = await tasks.read(REQUEST, None, announce)
    assert said == ["t k True", "t k False"]
    assert found["pages"] == 1
    assert "HARBOUR CAFE" in json.loads(found["page"])["text"]
    assert _page_of(found).of == 1
    for change, upload, error, text in (
        ({"version": "2"}, None, UnusableCluster, "A worker has version 1 of the project"),
        ({"path": str(tmp_path / "none")}, None, UnreadableFile, "No such file"),
        ({"sha256": "0"}, None, UnreadableFile, "another one"),
        ({}, b"no image", Refused, "unsupported_image_type"),
        ({"ranges": [(2, None)]}, RECEIPT.read_bytes(), Refused, "no_such_page"),
    ):
        result = await tasks.read(REQUEST | change, upload, announce)
        with pytest.raises(error, match=text):
            _page_of(result)
    assert "unannounced" in await tasks.read(REQUEST, None, nobody)


async def test_a_shared_file_is_read_in_a_thread(
    tasks: PageTasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow file server must not hold up the worker's event loop and its heartbeats."""
    threads: list[int] = []

    def shared(_request: object) -> bytes:
        threads.append(threading.get_ident())
        return b"no image"

    async def announce(topic: str, key: str, *, begins: bool) -> None:
        pass

    monkeypatch.setattr("cluster.page_task._shared", shared)
    await tasks.read(REQUEST, None, announce)
    assert len(threads) == 1
    assert threads[0] != threading.get_ident()


async def test_alone_means_alone() -> None:
    """One that has to be alone waits for those before it, and those after it wait for it."""
    gate, inside, seen = Gate(), set[str](), list[set[str]]()

    async def go(name: str, *, alone: bool) -> None:
        async with gate.open(alone=alone):
            inside.add(name)
            for _ in range(3):
                seen.append(set(inside))
                await asyncio.sleep(0)
            inside.remove(name)

    await asyncio.gather(*(go(name, alone=name in "CF") for name in "ABCDEF"))
    assert {"A", "B"} in seen
    assert {"D", "E"} in seen
    assert [each for each in seen if each & {"C", "F"} and len(each) > 1] == []
