"""The response bodies of POST /ocr."""

from collections.abc import Iterable, Sequence
from typing import Any

from model.reader import Page

PAGE_BREAK = "\n\f"  # as in pdftotext's output


def as_document(
    readings: Sequence[Sequence[Page]], request_id: str, *, paged: bool
) -> dict[str, Any]:
    """Return the JSON response: an object for one upload, with a list for several.

    `model`, `timing_ms` (the sums) and `request_id` are always at the top.
    """
    uploads = [_upload(pages, paged=paged) for pages in readings]
    if len(uploads) == 1:
        return {**uploads[0], "request_id": request_id}
    summary = _summary([page for pages in readings for page in pages])
    return {"images": uploads, **summary, "request_id": request_id}


def as_text(readings: Sequence[Sequence[Page]]) -> str:
    """Return the plain text: an empty line between uploads, a form feed between pages."""
    return "\n\n".join(_text(pages) for pages in readings)


def as_page(page: Page) -> dict[str, Any]:
    """Return the JSON of one page, or of an image without pages."""
    return {
        "text": page.text,
        "lines": [
            {"text": line.text, "confidence": round(line.confidence, 4), "polygon": line.polygon}
            for line in page.lines
        ],
        "width": page.width,
        "height": page.height,
        **_summary([page]),
    }


def _upload(pages: Sequence[Page], *, paged: bool) -> dict[str, Any]:
    """Return the lines of an image, or the pages of a document."""
    if not paged and not pages[0].of_document:
        return as_page(pages[0])
    return {
        "text": _text(pages),
        "pages": [{"page": page.number, **as_page(page)} for page in pages],
        **_summary(pages),
    }


def _text(pages: Sequence[Page]) -> str:
    return PAGE_BREAK.join(page.text for page in pages)


def _summary(pages: Sequence[Page]) -> dict[str, Any]:
    """Return the model that read the pages, and the sums of their times."""
    return {"model": pages[0].model, "timing_ms": _sums(page.timing_ms for page in pages)}


def _sums(times_ms: Iterable[dict[str, float]]) -> dict[str, float]:
    """Return the sum of each step, rounded to 0.1 ms."""
    sums: dict[str, float] = {}
    for times in times_ms:
        for step, ms in times.items():
            sums[step] = sums.get(step, 0.0) + ms
    return {step: round(ms, 1) for step, ms in sums.items()}
