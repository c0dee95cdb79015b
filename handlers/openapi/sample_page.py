"""A page, written in each format for the examples of the document."""

import json
from typing import Any

from handlers.formats.format import Format, ResponseInfo
from handlers.openapi.error_samples import REQUEST_ID
from model.reader import Block, Line, Page, Word

_TITLE = ((40, 32), (200, 32), (200, 60), (40, 60))
_FIRST = ((40, 32), (112, 32), (112, 60), (40, 60))
_SECOND = ((124, 32), (200, 32), (200, 60), (124, 60))
_TOTAL = ((40, 84), (152, 84), (152, 110), (40, 110))
_LINES = (
    Line("Harbour Cafe", 0.9981, _TITLE, (Word("Harbour", _FIRST, 0.9987),
                                          Word("Cafe", _SECOND, 0.9985))),
    Line("合计 42.50", 0.9873, _TOTAL, (Word("合计", _TOTAL, 0.9873),)),
)  # fmt: skip
PAGE = Page(
    number=1,
    of_document=False,
    lines=_LINES,
    blocks=(Block((*_TITLE[:2], _TOTAL[2], _TOTAL[3]), (0, 1), "text"),),
    width=240,
    height=140,
    rotation=0,
    skew=0.0,
    model="ppocrv3-det+sealed-crnn-v2",
    timing_ms={"decode": 2.1, "queue": 0.1, "detect": 21.4, "recognise": 12.9, "total": 36.9},
)


def is_text(each: Format) -> bool:
    """Return whether a response in this format is text."""
    return each.has_charset or each.media_type in {"application/json", "application/x-ndjson"}


def example(each: Format) -> Any:
    """Return the sample page in a text format, JSON as its value."""
    writer = each.writer(ResponseInfo(REQUEST_ID, paged=False))
    text = (writer.page(1, PAGE) + writer.end()).decode()
    return json.loads(text) if each.media_type == "application/json" else text
