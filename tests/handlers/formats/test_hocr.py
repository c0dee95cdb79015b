"""The hOCR format: its specification's own checker, and what the checker does not see."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from tests.handlers.formats.pages import (
    EXTENSION_B,
    column_of,
    full_page,
    line_of,
    page_of,
    written,
)

XHTML = "{http://www.w3.org/1999/xhtml}"
# Its imports warn of Python's own changes since it was written.
CHECKER = [sys.executable, "-W", "ignore", "-c", "from hocr_spec.cli import main; main()"]


def _check(document: str, tmp_path: Path) -> str:
    file = tmp_path / "page.hocr"
    file.write_text(document, encoding="utf-8")
    done = subprocess.run([*CHECKER, file], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout


def test_the_checker_passes(tmp_path: Path) -> None:
    """All its checks, on two pages with everything there is."""
    said = _check(written("hocr", full_page(1), full_page(2), page_of(number=3)), tmp_path)
    assert "[OK]" in said
    assert not re.search(r"ERROR|FATAL", said)


def test_the_checker_sees_faults(tmp_path: Path) -> None:
    """Negative control: without a capability, and with a property that is none."""
    document = written("hocr", full_page())
    for old, new in (("ocrp_lang", ""), ("bbox 10 10", "bbox 10 x"), ("ocr-system", "ocr-sys")):
        assert "[ERROR]" in _check(document.replace(old, new), tmp_path)


def _parsed(*pages: Any) -> Any:
    return etree.fromstring(written("hocr", *pages).encode())


def _all(root: Any, name: str) -> list[Any]:
    return [each for each in root.iter() if each.get("class") == name]


# XHTML 1.0: what may be in what, of the elements that are used.
CONTENT = {
    "html": {"head", "body"},
    "head": {"title", "meta"},
    "body": {"div"},
    "div": {"div", "p", "table"},
    "table": {"tr"},
    "tr": {"td"},
    "td": {"p"},
    "p": {"span"},
    "span": {"span"},
    "title": set(),
    "meta": set(),
}


def test_it_is_valid_xhtml() -> None:
    """An XML parser reads it; elements are where they may be, and ids are unique."""
    root = _parsed(full_page(1), full_page(2))
    names = [each.get("id") for each in root.iter() if each.get("id")]
    assert len(names) == len(set(names))
    for element in root.iter():
        assert {child.tag.removeprefix(XHTML) for child in element} <= CONTENT[
            element.tag.removeprefix(XHTML)
        ]
    assert all(len(row) for row in root.iter(f"{XHTML}tr"))


def test_the_text_is_the_text() -> None:
    """A space is where the line has one: none between Chinese characters; no markup in it."""
    first, *_, last = _all(_parsed(full_page()), "ocr_line")[:8]
    assert "".join(first.itertext()).strip() == "Harbour Cafe 海风咖啡馆"
    assert "".join(last.itertext()).strip() == f'{EXTENSION_B} NA null 1e5 "quoted'
    assert len(_all(first, "ocrx_word")) == 7
    nasty = "".join("".join(each.itertext()) for each in _all(_parsed(full_page()), "ocr_line"))
    assert "<b>&\"'\ufffd\ufffd\ufffd]]>--><script>" in nasty


def _title(root: Any, name: str, index: int = 0) -> dict[str, str]:
    pairs = (each.split(" ", 1) for each in _all(root, name)[index].get("title").split("; "))
    return dict(pairs)


def test_the_properties() -> None:
    """Boxes, page numbers from 0, confidences from 0 to 100."""
    root = _parsed(page_of([line_of("one", 10, 30)], number=3))
    page = {"bbox": "0 0 1000 800", "ppageno": "2", "scan_res": "150 150"}
    assert _title(root, "ocr_page") == page
    assert _title(root, "ocr_line") == {"bbox": "10 30 40 50", "baseline": "0 -4"}
    assert _title(root, "ocrx_word") == {"bbox": "10 30 40 46", "x_wconf": "75"}
    assert _all(root, "ocr_line")[0].get("lang") == "en"


@pytest.mark.parametrize(
    ("degrees", "name", "value"),
    [
        (4, "baseline", 0.07),
        (-4, "baseline", -0.07),
        (-90, "textangle", 90),
        (90, "textangle", -90),
        (180, "textangle", 180),
    ],
)
def test_a_turned_line(degrees: float, name: str, value: float) -> None:
    """A slope of the baseline, clockwise; or an angle, counter-clockwise."""
    line = line_of("a longer line of text", 500, 400, degrees=degrees)
    found = _title(_parsed(page_of([line])), "ocr_line")
    assert set(found) == {"bbox", name}
    assert abs(abs(float(found[name].split()[0])) - abs(value)) < 0.01
    assert float(found[name].split()[0]) * value > 0 or value == 180


def test_a_baseline_is_within_its_box() -> None:
    """At both ends of the line."""
    for degrees in (-8, -1, 0, 1, 8):
        line = line_of("a longer line of text", 300, 300, degrees=degrees)
        found = _title(_parsed(page_of([line])), "ocr_line")
        left, top, right, bottom = map(int, found["bbox"].split())
        slope, offset = map(float, found["baseline"].split())
        for x in (0, right - left):
            assert top <= bottom + offset + slope * x <= bottom


def test_a_column_has_no_baseline() -> None:
    """Its characters stand on each other."""
    assert set(_title(_parsed(page_of([column_of("竖排文字", 10, 10)])), "ocr_line")) == {"bbox"}


def test_a_table_has_rows_and_spans() -> None:
    """Each cell is a paragraph; what no cell covers is there."""
    (table,) = _all(_parsed(full_page()), "ocr_table")
    assert [
        [(cell.get("rowspan"), cell.get("colspan"), len(cell)) for cell in row] for row in table
    ] == [[("2", None, 1), (None, "2", 1)], [(None, None, 1), (None, None, 0)], [
        (None, None, 0), (None, None, 0), (None, None, 1)]]  # fmt: skip


def test_blank_lines_and_empty_pages() -> None:
    """A blank line has its place and no word."""
    root = _parsed(page_of([line_of(None)]), page_of(number=2))
    assert len(_all(root, "ocr_page")) == 2
    assert len(_all(root, "ocr_line")) == 1
    assert _all(root, "ocrx_word") == []
