"""A page as JSON."""

from collections.abc import Iterable, Sequence
from typing import Any

from model.reader import Block, Page


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
        **summary([page]),
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
