"""The file: what is in it, what is not, and how it is written."""

import gc
import io
import re
import tracemalloc
import zlib
from dataclasses import replace

import pikepdf
import pytest

from handlers.pdf.document import Document
from tests.handlers.pdf.extractors import opened, pdfium, texts_of
from tests.handlers.pdf.pages import TEXTS, UPRIGHT, Turn, columns, page, row, rows, written

PAGE = page(rows())


def checked(data: bytes) -> pikepdf.Pdf:
    """Open a document; no object of it may have a fault."""
    document = pikepdf.open(io.BytesIO(data))
    assert document.check_pdf_syntax() == []
    for item in document.objects:
        if isinstance(item, pikepdf.Stream) and "/DCTDecode" not in repr(item.get("/Filter")):
            item.read_bytes()
    assert document.get_warnings() == []
    return document


def test_the_file_has_no_fault() -> None:
    """Each page has one image: the JPEG as it was, of the size that it has."""
    with checked(written(PAGE, page(columns(), Turn(90)))) as document:
        assert len(document.pages) == 2
        for sheet, read in zip(document.pages, (PAGE, page(columns(), Turn(90))), strict=True):
            [image] = sheet.get_images().values()
            assert isinstance(image, pikepdf.Stream)
            assert image.read_raw_bytes() == read.image
            stated = pikepdf.PdfImage(image)
            with stated.as_pil_image() as pixels:
                assert pixels.size == (stated.width, stated.height) == read.image_size


@pytest.mark.parametrize("cut", [1, 20, 200, 2000])
def test_a_cut_file_has_faults(cut: int) -> None:
    """Negative control of the check above, and of a response that was cut off."""
    data = written(PAGE)
    with pytest.raises((pikepdf.PdfError, AssertionError)):
        checked(data[:-cut] if cut > 1 else data.replace(b"xref", b"yref"))


def test_what_the_file_says_of_itself() -> None:
    """Who made it and its language; no time, no name of a file, nothing that runs."""
    with checked(written(PAGE)) as document:
        assert dict(document.docinfo) == {"/Producer": "Sealed OCR"}
        assert set(document.Root.keys()) == {"/Type", "/Pages", "/Lang"}
        assert document.Root.Lang == "zh"
        first, second = document.trailer.ID
        assert bytes(first) == bytes(second)
    for name in (b"/JavaScript", b"/OpenAction", b"/AA", b"/URI", b"Date", b"/EmbeddedFile"):
        assert name not in written(PAGE)


@pytest.mark.parametrize(
    ("texts", "language"),
    [(TEXTS, "zh"), (["Total due"], "en"), (["Invoice 发票"], "zh"), (["47.11"], None), ([], None)],
)
def test_the_language_is_that_of_the_text(texts: list[str], language: str | None) -> None:
    """Chinese from a tenth of the letters on; none without letters."""
    with checked(written(page(rows(texts)))) as document:
        assert document.Root.get("/Lang") == language


def test_the_same_pages_make_the_same_file() -> None:
    """Its identifier is made of its content."""
    assert written(PAGE) == written(PAGE)
    identifiers = {re.findall(rb"/ID\[(.*)\]", written(each))[0] for each in (PAGE, page([]))}
    assert len(identifiers) == 2


@pytest.mark.parametrize(
    ("turn", "dpi", "sides", "rotate"),
    [
        (UPRIGHT, 72.0, (1200, 1000), 0),
        (UPRIGHT, 200.0, (432, 360), 0),
        (Turn(90), 200.0, (360, 432), 270),
        (Turn(180), 200.0, (432, 360), 180),
        (Turn(270), 200.0, (360, 432), 90),
        (Turn(skew=10), 72.0, (1355.4, 1193.2), 0),  # no corner is cut off
        (Turn(skew=0.97), 72.0, (1216.8, 1020.2), 0),  # its lines rise by a third of their height
        (Turn(skew=0.4), 72.0, (1200, 1000), 0),
        (UPRIGHT, 1.0, (14400, 12000), 0),
        (UPRIGHT, 1e5, (3.6, 3), 0),
    ],
)
def test_a_page_is_as_large_as_its_resolution_says(
    turn: Turn, dpi: float, sides: tuple[float, float], rotate: int
) -> None:
    """It is shown upright and straight, and within what PDF allows."""
    with checked(written(page(rows(), turn, dpi=dpi))) as document:
        sheet = document.pages[0]
        assert [float(side) for side in sheet.MediaBox] == pytest.approx([0, 0, *sides], abs=0.1)
        assert sheet.Rotate == rotate


@pytest.mark.parametrize("turn", [UPRIGHT, Turn(90), Turn(skew=3)])
def test_nothing_is_seen_but_the_image(turn: Turn) -> None:
    """With text and without, a page looks the same."""
    shown = page(rows(), turn)
    looks = []
    for each in (shown, replace(shown, lines=(), blocks=())):
        with opened(written(each)) as document:
            looks.append(document[0].render(scale=2).to_numpy().tobytes())
    assert looks[0] == looks[1]


def test_the_text_is_small() -> None:
    """A full page of Chinese, in a document of several, adds less than a fifth to its JPEG."""
    texts = [TEXTS[5] * 3 + TEXTS[0][:4] * 3 for _ in range(12)]
    full = page([row(text, 40 + 78 * index, 10) for index, text in enumerate(texts)])
    document = Document()
    for _ in range(2):
        added = len(document.page(full)) - len(full.image or b"")
        assert added < 0.1 * len(full.image or b"")
    assert len(document.end()) < 3000


def test_pages_are_written_one_by_one() -> None:
    """What was written of a page is never needed again: the parts are the file."""
    document = Document()
    pages = [replace(PAGE, number=number) for number in range(1, 4)]
    parts = [document.page(each) for each in pages]
    assert all((PAGE.image or b"") in part for part in parts)
    data = b"".join([*parts, document.end()])
    with checked(data) as whole:
        assert len(whole.pages) == 3
    assert pdfium(data) == texts_of(PAGE) * 3


def test_a_long_document_takes_no_memory() -> None:
    """After 100 pages of 60 KB each, a few KB are kept: offsets and characters."""
    document = Document()
    document.page(PAGE)
    tracemalloc.start()
    for _ in range(100):
        document.page(PAGE)
    gc.collect()  # the interpreter keeps freed tuples
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 30_000


def test_text_operators_are_compressed() -> None:
    """As is the map of characters; the JPEGs are not compressed twice."""
    with checked(written(PAGE)) as document:
        sheet = document.pages[0].obj
        content = sheet.Contents
        assert content.Filter == "/FlateDecode"
        assert zlib.decompress(content.read_raw_bytes()).count(b"TJ") > len(TEXTS)
        font = sheet.Resources.Font.F
        assert font.ToUnicode.Filter == font.DescendantFonts[0].CIDToGIDMap.Filter == "/FlateDecode"
