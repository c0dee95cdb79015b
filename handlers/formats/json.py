"""JSON: one document for the whole response."""

import json
from collections.abc import Sequence
from typing import Any

from handlers.formats.format import Format, Problem, ResponseInfo, Writer
from handlers.formats.text import text_of
from handlers.writing.page_json import as_page, summary
from model.reader import Page


class JsonWriter(Writer):
    """Collects the pages and problems of each upload."""

    def __init__(self, info: ResponseInfo) -> None:
        self._info = info
        self._uploads: list[list[Page | Problem]] = []

    def page(self, upload: int, page: Page) -> bytes:
        """Keep a page."""
        return self._keep(upload, page)

    def problem(self, upload: int, problem: Problem) -> bytes:
        """Keep a problem."""
        return self._keep(upload, problem)

    def end(self) -> bytes:
        """Return the document."""
        document = as_document(self._uploads, self._info)
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()

    def _keep(self, upload: int, entry: Page | Problem) -> bytes:
        if upload > len(self._uploads):
            self._uploads.append([])
        self._uploads[-1].append(entry)
        return b""


def as_document(readings: Sequence[Sequence[Page | Problem]], info: ResponseInfo) -> dict[str, Any]:
    """Return the JSON response: an object for one upload, with a list for several.

    In a partial response an upload ends with its problem, if it has one.

    `model`, `timing_ms` (the sums) and `request_id` are always at the top.
    """
    uploads = [_upload(pages, paged=info.paged) for pages in readings]
    if len(uploads) == 1:
        return {**uploads[0], "request_id": info.request_id}
    pages = [page for pages in readings for page in pages if isinstance(page, Page)]
    return {"images": uploads, **summary(pages), "request_id": info.request_id}


def _upload(entries: Sequence[Page | Problem], *, paged: bool) -> dict[str, Any]:
    """Return the lines of an image, the pages of a document, or the problem of either."""
    first = entries[0]
    if not isinstance(first, Page):
        return first
    if not paged and not first.of_document:
        return as_page(first)
    pages = [entry for entry in entries if isinstance(entry, Page)]
    return {
        "text": text_of(pages),
        "pages": [
            {"page": entry.number, **as_page(entry)} if isinstance(entry, Page) else entry
            for entry in entries
        ],
        **summary(pages),
    }


FORMAT = Format(
    name="json",
    media_type="application/json",
    extension="json",
    title=("JSON", "JSON"),
    description=(
        "Everything: text, lines, blocks and tables, with polygons and confidences.",
        "全部结果：文本、行、段落和表格，以及多边形坐标和置信度。",
    ),
    writer=JsonWriter,
    partial=True,
)
