"""A page as JSON."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from typing import Any

from model.reader import Block, Line, Page, Word

_PNG = b"\x89PNG"


def as_page(page: Page) -> dict[str, Any]:
    """Return the JSON of one page, or of an image without pages."""
    return {
        "text": page.text,
        "lines": [_line(line) for line in page.lines],
        "blocks": [_block(block) for block in page.blocks],
        "width": page.width,
        "height": page.height,
        "rotation": page.rotation,
        "skew": round(page.skew, 1) + 0.0,  # never -0.0
        "warnings": page.warnings,
        **summary([page]),
        **_image(page.image),
    }


def _line(line: Line) -> dict[str, Any]:
    """Return the JSON of a line; it has words only if they were asked for."""
    whole = _word(line)
    return {**whole, "words": [_word(word) for word in line.words]} if line.words else whole


def _word(part: Line | Word) -> dict[str, Any]:
    """Return the JSON of a word, or that of a line without its words."""
    return {
        "text": part.text,
        "confidence": round(part.confidence, 4),
        "polygon": part.polygon,
    }


def _image(image: bytes | None) -> dict[str, Any]:
    """Return the member of a page that has its image; none if it was not asked for."""
    if image is None:
        return {}
    media_type = "image/png" if image.startswith(_PNG) else "image/jpeg"
    return {"page_image": {"media_type": media_type, "data": b64encode(image).decode()}}


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


def summary(pages: Sequence[Page]) -> dict[str, Any]:
    """Return the model that read the pages, and the sums of their times."""
    return {"model": pages[0].model, "timing_ms": _sums(page.timing_ms for page in pages)}


def _sums(times_ms: Iterable[dict[str, float]]) -> dict[str, float]:
    """Return the sum of each step, rounded to 0.1 ms."""
    sums: dict[str, float] = {}
    for times in times_ms:
        for step, ms in times.items():
            sums[step] = sums.get(step, 0.0) + ms
    return {step: round(ms, 1) for step, ms in sums.items()}
