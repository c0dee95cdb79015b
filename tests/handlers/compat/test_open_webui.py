"""Open WebUI's external document loader: the request that its code sends."""

import pytest

from tests.handlers.compat.conftest import PageReader, Send, line, page

pytestmark = pytest.mark.anyio


async def test_a_page_each(send: Send, reader: PageReader) -> None:
    """The file is the body; its name, however it looks, changes nothing."""
    reader.pages_read += [page(number=2), page(line("three", (0, 0, 9, 9)), number=3)]
    reply = await send(
        "/process",
        b"%PDF",
        method="PUT",
        content_type="application/pdf",
        x_filename="..%2F..%2Fetc%2Fpasswd",
    )
    assert reply.json() == [
        {"page_content": "Hello 世界", "metadata": {"page": 1, "model": "echo"}},
        {"page_content": "three", "metadata": {"page": 3, "model": "echo"}},
    ]
    assert reader.file == b"%PDF"


@pytest.mark.parametrize("file", [b"blank", b"text"])
async def test_what_has_no_text_is_left_to_open_webui(
    file: bytes, send: Send, reader: PageReader
) -> None:
    """It reads a file itself after these words: blank pages, and files that need no OCR."""
    reader.pages_read = [page()]
    reply = await send("/process", file, method="PUT")
    assert reply.status == 422
    assert reply.json()["detail"].startswith("No extractable text")


@pytest.mark.parametrize(("file", "status"), [(b"torn", 422), (b"", 400), (b"bug", 500)])
async def test_other_errors_are_shown(file: bytes, status: int, send: Send) -> None:
    """With the detail that Open WebUI shows to its user."""
    reply = await send("/process", file, method="PUT")
    assert reply.status == status
    assert "No extractable text" not in reply.json()["detail"]
