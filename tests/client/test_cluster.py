"""scripts/ocr --cluster without a cluster: its options, and what it keeps."""

import asyncio
import errno
import json
import os
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sealed_ocr_client.cluster.document_reader import DocumentReader
from sealed_ocr_client.cluster.failures import SetAside
from sealed_ocr_client.cluster.folder import Folder
from sealed_ocr_client.cluster.kept_pages import KeptPages
from sealed_ocr_client.cluster.limit import Limit
from sealed_ocr_client.cluster.page_reader import PageLine, PageReader
from sealed_ocr_client.cluster.tally import Tally
from sealed_ocr_client.formats import FORMATS
from sealed_ocr_client.inputs import Input
from sealed_ocr_client.options import Options
from sealed_ocr_client.progress import Quiet
from tests.client.conftest import Run

ADDRESS = "tls://127.0.0.1:9"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--format", "pdf", "--beside"), "With --cluster the formats are text, json, ndjson"),
        ((), "--cluster needs --out FOLDER or --beside."),
        (("-", "--out", "x"), "--cluster reads files and folders, not standard input."),
        (("--beside",), "--cluster needs --ca: scripts/cluster certificate NAME --client"),
        (("--beside", "--pages", "x"), "Pages are written as 1-3,7"),
    ],
)
def test_what_it_has_no_use_for_is_named(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    """Before anything is read."""
    found = run(tmp_path, *arguments, "--cluster", ADDRESS)
    assert (found.status, said in found.errors) == (2, True), found.errors
    assert "--shared is for --cluster" in run(tmp_path, "--shared").errors


def test_it_says_how_to_install_what_is_missing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the command."""
    for name in [*sys.modules]:
        if name.startswith("sealed_ocr_client.cluster."):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "dask", None)
    monkeypatch.setitem(sys.modules, "distributed", None)
    found = run(tmp_path, "--beside", "--cluster", ADDRESS)
    assert (found.status, "run scripts/install --cluster" in found.errors) == (2, True)


def test_pages_are_kept_by_document_and_parameters(tmp_path: Path) -> None:
    """In any order, from two clients, one of which is done first; half a file is no page."""
    target = tmp_path / "book.pdf.json"
    one, other = KeptPages(target, "a", {}), KeptPages(target, "a", {})
    assert one.numbers() == (set(), 0)
    one.add(3, 3, b'{"page":3}')
    other.add(1, 3, b'{"page":1}')
    other.add(1, 3, b'{"page":1}')
    assert one.numbers() == ({1, 3}, 3)
    assert one.load([1, 2, 3], 3) == ([{"page": 1}, {"page": 3}], [2])
    assert KeptPages(target, "b", {}).numbers() == (set(), 0)
    assert KeptPages(target, "a", {"order": "rows"}).numbers() == (set(), 0)
    [half] = tmp_path.glob(".*/*/1-3.json")
    half.write_bytes(b'{"pa')
    assert one.load([1], 3) == ([], [1])
    other.discard()
    one.add(2, 3, json.dumps({"page": 2}).encode())
    one.discard()
    assert not [*tmp_path.iterdir()]


def test_a_limit_lets_in_what_fits(tmp_path: Path) -> None:
    """And alone what is larger than all of it."""

    async def scenario() -> list[str]:
        limit, said = Limit(3), list[str]()

        async def hold(name: str, amount: int) -> None:
            async with limit.taken(amount):
                said.append(f"+{name}")
                await asyncio.sleep(0)
                said.append(f"-{name}")

        await asyncio.gather(hold("a", 2), hold("b", 1), hold("large", 9), hold("c", 1))
        return said

    said = asyncio.run(scenario())
    assert said[:2] == ["+a", "+b"]
    at = said.index("+large")
    assert said[at + 1] == "-large"
    assert not [*tmp_path.iterdir()]


def test_progress_in_a_line() -> None:
    """Pages, files, pages a second, nodes, and the time left once the files are counted."""
    tally = Tally(workers=1, threads=2)
    tally.opened()
    tally.known(3)
    tally.page()
    assert str(tally).startswith("1 of 3 known pages, 0 files, 1.0 pages/s, 1 node")
    tally.files = 1001
    assert str(tally).endswith("1 node, 50 min left")


def test_a_page_that_cannot_be_kept_ends_the_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk is the document's error, and no further pages are read in vain."""
    read: list[int] = []
    failed = threading.Event()

    class Pages(PageReader):
        def __init__(self) -> None:
            """Without a connection."""

        async def read(
            self, _document: object, number: int, _ranges: object, _request_id: str
        ) -> PageLine:
            read.append(number)
            if number > 10:
                await asyncio.to_thread(failed.wait)
            return PageLine(b"{}", 1000)

    def full(_kept: KeptPages, number: int, _of: int, _line: bytes) -> None:
        if number > 1:
            failed.set()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(KeptPages, "add", full)
    scan = tmp_path / "book.pdf"
    scan.write_bytes(b"%PDF-1.7")
    reader = DocumentReader(Pages(), FORMATS["json"], Options(), Limit(4), Tally(), shared=False)
    with pytest.raises(OSError, match="No space left"):
        asyncio.run(reader.read(Input("book.pdf", scan, Path()), tmp_path / "book.pdf.json"))
    assert len(read) < 500


def test_a_file_that_cannot_be_set_aside_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the cause: the run must not end with status 0."""

    async def read(_one: Input, _target: Path) -> None:
        raise SetAside(2, 3)

    def full(_target: Path, _text: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("sealed_ocr_client.cluster.folder.write_whole", full)
    documents: Any = SimpleNamespace(read=read)
    connection: Any = None
    folder = Folder(
        connection, documents, [], None, FORMATS["json"], Quiet(), Tally(), max_wait_s=1
    )
    scan = tmp_path / "book.pdf"
    scan.touch()
    asyncio.run(folder._one(Input("book.pdf", scan, Path()), tmp_path / "book.pdf.json"))
    assert folder.failed == 1
    assert "No space left" in str(folder.failures[0][1])


def test_a_result_that_was_cut_is_read_again(tmp_path: Path) -> None:
    """And named; one that is whole is not."""
    read_again: list[str] = []
    said: list[str] = []

    async def read(one: Input, _target: Path) -> None:
        read_again.append(one.name)

    class Said(Quiet):
        def say(self, text: str) -> None:
            said.append(text)

    async def run() -> None:
        for name in results:
            scan = tmp_path / name
            scan.touch()
            await folder._one(Input(name, scan, Path()), tmp_path / f"{name}.json")

    documents: Any = SimpleNamespace(read=read)
    connection: Any = None
    folder = Folder(connection, documents, [], None, FORMATS["json"], Said(), Tally(), max_wait_s=1)
    whole = FORMATS["json"].from_pages
    assert whole is not None
    page = {"page": 1, "text": "a", "model": "m", "timing_ms": {}, "request_id": "r"}
    content = whole([page], False)  # noqa: FBT003 - its type takes no names
    results = {"whole.png": content, "cut.png": content[:-9], "empty.png": b""}
    for name, result in results.items():
        (tmp_path / f"{name}.json").write_bytes(result)
    asyncio.run(run())
    assert read_again == ["cut.png", "empty.png"]
    assert [text.split(":")[0] for text in said] == read_again
    assert (folder.skipped, folder.written) == (1, 2)
