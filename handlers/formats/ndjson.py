"""Newline-delimited JSON: one line for each page, sent as soon as the page is read."""

import json

from handlers.formats.format import Format, Problem, ResponseInfo, Writer
from handlers.writing.page_json import as_page
from model.reader import Page


class NdjsonWriter(Writer):
    """Writes a line for each page, and for each problem."""

    def __init__(self, info: ResponseInfo) -> None:
        self._request_id = info.request_id

    def page(self, upload: int, page: Page) -> bytes:
        """Return the line of a page."""
        about = {"image": upload, "page": page.number}
        return _line({**about, **as_page(page), "request_id": self._request_id})

    def problem(self, _upload: int, problem: Problem) -> bytes:
        """Return the line of a problem, which names its upload itself."""
        return _line(problem)


def _line(document: dict[str, object]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


FORMAT = Format(
    name="ndjson",
    media_type="application/x-ndjson",
    extension="ndjson",
    title=("JSON lines", "JSON Lines"),
    description=(
        "One JSON line for each page, sent as soon as the page is read.",
        "每页一行 JSON，识别完一页立即发送。",
    ),
    writer=NdjsonWriter,
    streamed=True,
    partial=True,
)
