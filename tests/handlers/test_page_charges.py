"""The pages of each upload are charged before one is read; what a refusal does to a request."""

import json

import pytest

from middleware.errors import LimitStorageFailed, PageQuotaUsedUp
from middleware.request_context import request_context
from tests.handlers.echo import Caller, EchoReader
from tests.handlers.test_partial import FORM, STREAM, _multipart

pytestmark = pytest.mark.anyio


class Charges:
    """Notes the pages of each upload; has room for `room` of them."""

    def __init__(self, reader: EchoReader, room: int = 99) -> None:
        self.reader = reader
        self.room = room
        self.made: list[int] = []
        self.read_before: list[int] = []
        self.refusal: Exception = PageQuotaUsedUp(
            "pages-day", 10, 1, 2, renewed="2026-12-01", retry_after_s=42
        )

    async def __call__(self, pages: int) -> None:
        self.read_before.append(len(self.reader.read))
        if sum(self.made) + pages > self.room:
            raise self.refusal
        self.made.append(pages)


async def test_each_upload_is_charged_before_it_is_read(post: Caller, reader: EchoReader) -> None:
    """By the pages that are to be read, which ?pages= may select."""
    charges = Charges(reader)
    await post(_multipart(b"1/2/3", b"4"), content_type=FORM, charge=charges)
    assert (charges.made, charges.read_before) == ([3, 1], [0, 3])
    await post(b"1/2/3/4", query=b"pages=2-3", charge=charges)
    assert charges.made == [3, 1, 2]


async def test_a_refused_charge_ends_the_request(post: Caller, reader: EchoReader) -> None:
    """It names the file; nothing of that file is read."""
    charges = Charges(reader, room=3)
    with pytest.raises(PageQuotaUsedUp) as caught:
        await post(_multipart(b"1/2/3", b"4/5"), content_type=FORM, charge=charges)
    assert caught.value.image == 2
    assert len(reader.read) == 3
    assert request_context(post.scope).pages == 3


async def test_with_partial_the_other_files_are_read(post: Caller, reader: EchoReader) -> None:
    """The refusal is in the place of its file, and a file after it may fit."""
    charges = Charges(reader, room=2)
    body = _multipart(b"1/2/3", b"4")
    answer = await post(body, content_type=FORM, query=b"partial=true", charge=charges)
    pages = json.loads(answer.body)["images"]
    assert [page.get("text") or page["code"] for page in pages] == ["page_quota_used_up", "4"]
    assert charges.made == [1]


@pytest.mark.parametrize(
    ("refusal", "code"),
    [(None, "page_quota_used_up"), (LimitStorageFailed(), "limit_storage_failed")],
)
async def test_a_stream_ends_with_the_refusal(
    refusal: Exception | None, code: str, post: Caller, reader: EchoReader
) -> None:
    """Its status is sent by then."""
    charges = Charges(reader, room=2)
    charges.refusal = refusal or charges.refusal
    body = _multipart(b"1/2", b"3/4")
    answer = await post(body, content_type=FORM, accept=STREAM, charge=charges)
    *pages, last = (json.loads(line) for line in answer.body.splitlines())
    assert [page["text"] for page in pages] == ["1", "2"]
    assert (last["code"], last["pages_read"]) == (code, 2)
