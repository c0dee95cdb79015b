"""The JSON of POST /ocr: the same members at the top, whatever was sent."""

from dataclasses import replace
from typing import Any

import pytest

from handlers.formats.format import ResponseInfo
from handlers.formats.json import as_document
from handlers.writing.page_json import as_page
from model.reader import Block, Line, Page
from model.table_cell import Cell

TIMES = {"decode": 10.04, "queue": 0.04, "total": 30.12}
LINE = Line("text", 0.5, ((0, 0), (9, 0), (9, 9), (0, 9)))
PAGE_MEMBERS = {"text", "lines", "blocks", "width", "height", "rotation", "skew", "warnings"}
BLOCK = Block(LINE.polygon, (0,), "text")


def _page(number: int = 1, *, of_document: bool = False) -> Page:
    return Page(number, of_document, (LINE,), (BLOCK,), 9, 8, 0, 0.0, "det+rec", dict(TIMES))


DOCUMENT = [_page(number, of_document=True) for number in (1, 2, 3)]
READINGS: dict[str, tuple[list[list[Page]], bool, set[str], int]] = {
    "an image": ([[_page()]], False, PAGE_MEMBERS, 1),
    "an image with ?pages=": ([[_page()]], True, {"text", "pages"}, 1),
    "a document": ([DOCUMENT], False, {"text", "pages"}, 3),
    "a document of one page": ([DOCUMENT[:1]], False, {"text", "pages"}, 1),
    "several": ([[_page()], DOCUMENT], False, {"images"}, 4),
    "several with ?pages=": ([[_page()], DOCUMENT], True, {"images"}, 4),
}


def _pages_of(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the objects of one upload that have lines."""
    pages: list[dict[str, Any]] = entry.get("pages", [entry])
    return pages


@pytest.mark.parametrize("name", READINGS)
def test_the_top_has_model_times_and_request_id(name: str) -> None:
    """Beside what the kind of upload has; the times are sums over all pages."""
    readings, paged, members, pages = READINGS[name]
    document = as_document(readings, ResponseInfo("id", paged=paged))
    assert set(document) == members | {"model", "timing_ms", "request_id"}
    assert (document["model"], document["request_id"]) == ("det+rec", "id")
    assert document["timing_ms"] == {step: round(ms * pages, 1) for step, ms in TIMES.items()}


@pytest.mark.parametrize("name", READINGS)
def test_each_upload_and_each_page_has_model_and_times(name: str) -> None:
    """`pages` takes the place of the members of a page, and of nothing else."""
    readings, paged, _, _ = READINGS[name]
    document = as_document(readings, ResponseInfo("id", paged=paged))
    for entry, pages in zip(document.get("images", [document]), readings, strict=True):
        assert set(entry) - {"request_id"} in (
            PAGE_MEMBERS | {"model", "timing_ms"},
            {"text", "pages", "model", "timing_ms"},
        )
        assert entry["timing_ms"] == {s: round(ms * len(pages), 1) for s, ms in TIMES.items()}
        for page in _pages_of(entry):
            assert set(page) - {"page", "request_id"} == PAGE_MEMBERS | {"model", "timing_ms"}
            assert page["timing_ms"] == {step: round(ms, 1) for step, ms in TIMES.items()}


def test_only_tables_have_cells() -> None:
    """Each with its place, its spans and its lines."""
    table = Block(LINE.polygon, (0,), "table", (Cell(0, 2, 1, 3, (0,)),))
    for block, cells in (
        (BLOCK, {}),
        (
            table,
            {"cells": [{"row": 0, "column": 2, "row_span": 1, "column_span": 3, "lines": (0,)}]},
        ),
    ):
        (found,) = as_page(replace(_page(), blocks=(block,)))["blocks"]
        assert found == {"polygon": LINE.polygon, "lines": (0,), "kind": block.kind, **cells}


@pytest.mark.parametrize(("skew", "rounded"), [(-1.26, "-1.3"), (0.04, "0.0"), (-0.04, "0.0")])
def test_how_a_page_is_turned(skew: float, rounded: str) -> None:
    """In degrees; the skew to 0.1, without a sign if that is 0."""
    document = as_page(replace(_page(), rotation=270, skew=skew))
    assert (document["rotation"], str(document["skew"])) == (270, rounded)
