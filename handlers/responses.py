"""The response bodies of POST /ocr."""

from collections.abc import Iterable, Sequence
from typing import Any

from model.reader import Block, Page

PAGE_BREAK = "\n\f"  # as in pdftotext's output


Problem = dict[str, Any]


def as_document(
    readings: Sequence[Sequence[Page | Problem]], request_id: str, *, paged: bool
) -> dict[str, Any]:
    """Return the JSON response: an object for one upload, with a list for several.

    In a partial response an upload ends with its problem, if it has one.

    `model`, `timing_ms` (the sums) and `request_id` are always at the top.
    """
    uploads = [_upload(pages, paged=paged) for pages in readings]
    if len(uploads) == 1:
        return {**uploads[0], "request_id": request_id}
    summary = _summary([page for pages in readings for page in pages if isinstance(page, Page)])
    return {"images": uploads, **summary, "request_id": request_id}


def as_text(readings: Iterable[Iterable[Page | Problem]]) -> str:
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
        "blocks": [_block(block) for block in page.blocks],
        "width": page.width,
        "height": page.height,
        "rotation": page.rotation,
        "skew": round(page.skew, 1) + 0.0,  # never -0.0
        "warnings": page.warnings,
        **_summary([page]),
    }


def _block(block: Block) -> dict[str, Any]:
    """Return the JSON of a block; only a table has cells."""
    whole = {"polygon": block.polygon, "lines": block.lines, "kind": block.kind}
    cells = [
        {
            "row": cell.row,
            "column": cell.column,
            "row_span": cell.row_span,
            "column_span": cell.column_span,
            "lines": cell.lines,
        }
        for cell in block.cells
    ]
    return {**whole, "cells": cells} if cells else whole


def _upload(entries: Sequence[Page | Problem], *, paged: bool) -> dict[str, Any]:
    """Return the lines of an image, the pages of a document, or the problem of either."""
    first = entries[0]
    if not isinstance(first, Page):
        return first
    if not paged and not first.of_document:
        return as_page(first)
    return {
        "text": _text(entries),
        "pages": [
            {"page": entry.number, **as_page(entry)} if isinstance(entry, Page) else entry
            for entry in entries
        ],
        **_summary([entry for entry in entries if isinstance(entry, Page)]),
    }


def _text(entries: Iterable[Page | Problem]) -> str:
    return PAGE_BREAK.join(entry.text for entry in entries if isinstance(entry, Page))


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
