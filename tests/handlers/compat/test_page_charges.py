"""The functions in place of other services charge the pages of a file before they are read."""

import pytest
from starlette.requests import Request

from handlers.compat.reading import admitted
from middleware.errors import PageQuotaUsedUp
from middleware.request_context import request_context
from tests.asgi import scope_of
from tests.handlers.compat.conftest import PageReader, line, page

pytestmark = pytest.mark.anyio


async def test_the_pages_of_a_file_are_charged(reader: PageReader) -> None:
    """What the charge raises ends the reading, with no page read."""
    charged: list[int] = []

    async def charge(pages: int) -> None:
        charged.append(pages)
        if len(charged) > 1:
            raise PageQuotaUsedUp("pages-day", 3, 1, pages, renewed="2026-12-01", retry_after_s=42)

    reader.pages_read = [page(line("A", (0, 0, 9, 9))), page(line("B", (0, 0, 9, 9)))]
    scope = scope_of("POST", "/x", state={"reader": reader})
    request_context(scope).charge_pages = charge
    with admitted(Request(scope)) as reading:
        assert len(await reading.pages(b"file")) == 2
        assert request_context(scope).pages == 2
        with pytest.raises(PageQuotaUsedUp):
            await reading.pages(b"file")
    assert charged == [2, 2]
    assert request_context(scope).pages == 0
