"""The library, from threads and from a running event loop."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sealed_ocr_client import Client, Options, Refused, UnreadableFile, UnusableOption
from tests.client.conftest import MAX_PAGES, png
from tests.system.service import Service


@pytest.fixture(scope="module")
def client(real: Service) -> Iterator[Client]:
    """A client of the real service."""
    with Client(real.url, key=real.key, ca=real.authority) as one:
        yield one


def test_a_file_and_its_bytes(client: Client, tmp_path: Path) -> None:
    """Text, pages, JSON and other formats of it."""
    file = tmp_path / "scan.png"
    file.write_bytes(png("Library 18.95"))
    document = client.read(file)
    assert document.text == "Library 18.95"
    assert document.pages[0]["width"] == 360
    assert json.loads(document.to_json())["lines"][0]["text"] == document.text
    assert client.read(file.read_bytes()).text == document.text
    assert client.render(str(file), "text").decode() == document.text + "\n"


def test_pages_as_they_arrive(client: Client, long_pdf: bytes) -> None:
    """Beyond the pages of one request; leaving early is allowed."""
    texts = [page["text"] for page in client.pages(long_pdf, Options(pages="2-5"))]
    assert texts == [f"Page {100 + number}" for number in range(2, 6)]
    assert len(texts) > MAX_PAGES
    pages = client.pages(long_pdf)
    assert next(pages)["page"] == 1


def test_threads_share_a_client(client: Client) -> None:
    """Each gets its own result."""
    images = [png(f"Thread {number}") for number in range(3)]
    with ThreadPoolExecutor(3) as threads:
        texts = [document.text for document in threads.map(client.read, images)]
    assert texts == [f"Thread {number}" for number in range(3)]


@pytest.mark.anyio
async def test_in_a_notebook(client: Client) -> None:
    """An event loop is running there already."""
    assert client.read(png("Notebook")).text == "Notebook"


def test_its_errors(client: Client) -> None:
    """Are of this package, with a message that says what is wrong."""
    with pytest.raises(Refused, match="plain text") as caught:
        client.read(b"no image")
    assert caught.value.code == "unsupported_image_type"
    with pytest.raises(UnreadableFile, match="No such file"):
        client.read("missing.png")
    with pytest.raises(UnusableOption, match="https://"):
        Client("http://localhost")
