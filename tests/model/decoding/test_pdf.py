"""PDF documents to pixels, page by page."""

import os

import numpy as np
import numpy.typing as npt
import pytest

from bench.pdf_file import assemble
from model.decoding.pdf import PdfFile
from model.decoding.signatures import is_pdf
from model.errors import (
    EmptyDocument,
    EncryptedDocument,
    NoSuchPage,
    UnreadableImage,
)
from model.page_warnings import PageWarning
from model.workers import memfd
from tests.model.decoding.pdfs import pdf

# With a user password of the standard handler, 40-bit: opening it needs one.
ENCRYPTED = assemble(
    ["<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[]/Count 0>>",
     "<</Filter/Standard/V 1/R 2/P -4/O<" + "61" * 32 + ">/U<" + "62" * 32 + ">>>"],
    "/Encrypt 3 0 R/ID[<00><00>]",
)  # fmt: skip


def rendered(
    data: bytes, page: int = 1, *, max_pixels: int = 1_000_000, dpi: int = 72
) -> npt.NDArray[np.uint8]:
    """Return the pixels of a page, H x W x 3."""
    output = memfd.output_buffer("test", max_pixels * 3)
    try:
        width, height = PdfFile(
            data, max_pixels, max_pixels, dpi=dpi, form_s=60, reduction=1
        ).render(page, output)
        flat = np.frombuffer(os.pread(output, width * height * 3, 0), np.uint8)
        return flat.reshape(height, width, 3)
    finally:
        os.close(output)


def test_a_page_is_rendered_black_on_white() -> None:
    """240 x 80 points at 144 dots an inch are 480 x 160 pixels, dark where the text is."""
    pixels = rendered(pdf("TOTAL 47.11"), dpi=144)
    assert pixels.shape == (160, 480, 3)
    assert (pixels[:20] == 255).all()
    assert (pixels[60:100].min(axis=(0, 2)) < 50).sum() > 100


def test_colours_are_red_green_blue() -> None:
    """Red in the document is red in the pixels."""
    body = "1 0 0 rg 0 0 10 10 re f"
    data = assemble(
        ["<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
         "<</Type/Page/Parent 2 0 R/MediaBox[0 0 10 10]/Contents 4 0 R>>",
         f"<</Length {len(body)}>>stream\n{body}\nendstream"]
    )  # fmt: skip
    assert rendered(data)[5, 5].tolist() == [255, 0, 0]


def test_each_page_is_rendered_by_its_number() -> None:
    """Two pages differ; there is no third."""
    data = pdf("FIRST", "SECOND")
    assert PdfFile(data, 1_000_000, 1_000_000, dpi=72, form_s=60, reduction=1).pages == 2
    assert not np.array_equal(rendered(data, 1), rendered(data, 2))
    with pytest.raises(NoSuchPage) as refusal:
        rendered(data, 3)
    assert refusal.value.pages == 2


def test_the_fields_of_a_form_are_rendered() -> None:
    """A field's value is text like any other."""
    field = (
        "<</Type/Annot/Subtype/Widget/FT/Tx/T(a)/V(4711)/F 4/Rect[20 20 220 60]/P 3 0 R"
        "/DA(/F 30 Tf 0 g)/AP<</N 6 0 R>>>>"
    )
    look = "/Tx BMC BT /F 30 Tf 5 10 Td (4711) Tj ET EMC"
    appearance = (
        f"<</Type/XObject/Subtype/Form/BBox[0 0 200 40]/Length {len(look)}/Resources<</Font<</F "
        f"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>stream\n{look}\nendstream"
    )
    form = "/AcroForm<</Fields[5 0 R]>>"
    data = pdf("", catalog=form, page="/Annots[5 0 R]", objects=[field, appearance])
    assert (rendered(data) < 50).any()
    assert (rendered(pdf("")) == 255).all()


def test_a_page_over_the_limit_is_rendered_smaller() -> None:
    """At most at the limit, at least one pixel a point."""
    height, width, _ = rendered(pdf("LARGE"), dpi=600, max_pixels=100_000).shape
    assert 90_000 < width * height <= 100_000
    assert width / height == pytest.approx(3, rel=0.02)


@pytest.mark.parametrize("limit", range(19_200, 19_300, 7))
def test_the_limit_holds_after_rounding(limit: int) -> None:
    """Even just above one pixel a point."""
    height, width, _ = rendered(pdf("X"), dpi=300, max_pixels=limit).shape
    assert width * height <= limit


def test_giant_pages_are_rendered_smaller() -> None:
    """A poster of five metres fits, at less than one pixel a point; the page says so."""
    height, width, _ = rendered(pdf("X", box="[0 0 14400 14400]")).shape
    assert 990_000 < width * height <= 1_000_000


def test_a_page_in_a_larger_unit_is_rendered_as_large_as_a4() -> None:
    """A page of 60 x 84 points is A4 in tenths, or a label: either is legible at A4's size."""
    page = "/UserUnit 10"
    height, width, _ = rendered(pdf("X", box="[0 0 59.5 84.2]", page=page)).shape
    assert (height, width) == (pytest.approx(842, abs=1), pytest.approx(595, abs=1))
    assert rendered(pdf("X", box="[0 0 150 84.2]")).shape == (85, 150, 3)


@pytest.mark.parametrize(
    ("max_pixels", "reduction", "warnings"),
    [
        (19_200, 1, [PageWarning.LOWER_RESOLUTION]),
        (1_000_000, 2, [PageWarning.LOWER_RESOLUTION]),
        (1_000_000, 1, []),
    ],
)
def test_a_lower_resolution_is_a_warning(
    max_pixels: int, reduction: int, warnings: list[PageWarning]
) -> None:
    """Because of the limit, or because the page was slow."""
    document = PdfFile(pdf("X"), max_pixels, max_pixels, dpi=144, form_s=60, reduction=reduction)
    output = memfd.output_buffer("test", max_pixels * 3)
    document.render(1, output)
    os.close(output)
    assert document.warnings == warnings


@pytest.mark.parametrize(
    ("box", "max_pixels", "reduction", "dpi"),
    [
        ("[0 0 240 80]", 1_000_000, 1, 144),
        ("[0 0 240 80]", 1_000_000, 2, 72),
        ("[0 0 240 80]", 19_200, 1, 71.4),
        ("[0 0 59.5 84.2]", 10_000_000, 1, 144),  # it is as large as A4
    ],
)
def test_a_page_says_at_which_resolution_it_was_rendered(
    box: str, max_pixels: int, reduction: int, dpi: float
) -> None:
    """Lower than wanted, if it is over the limit or was slow."""
    data = pdf("X", box=box)
    document = PdfFile(data, max_pixels, max_pixels, dpi=144, form_s=60, reduction=reduction)
    output = memfd.output_buffer("test", max_pixels * 3)
    document.render(1, output)
    os.close(output)
    assert document.dpi == pytest.approx(dpi, abs=0.1)


@pytest.mark.parametrize("data", [b"%PDF-1.7\n", b"%PDF-1.7\ntrailer<<>>", pdf("X")[:200]])
def test_corrupt_documents_are_unreadable(data: bytes) -> None:
    """A header alone, or half a document."""
    with pytest.raises((UnreadableImage, EmptyDocument)):
        rendered(data)


def test_a_document_without_pages_is_empty() -> None:
    """It is told apart from a corrupt one."""
    with pytest.raises(EmptyDocument):
        rendered(assemble(["<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[]/Count 0>>"]))


def test_a_document_with_a_password_is_encrypted() -> None:
    """It is told apart from a corrupt one."""
    with pytest.raises(EncryptedDocument):
        rendered(ENCRYPTED)


def test_a_pdf_is_detected_by_its_header() -> None:
    """Anywhere in the first 1024 bytes, as in other readers."""
    assert is_pdf(b"\xef\xbb\xbf%PDF-1.4")
    assert is_pdf(b" " * 1000 + b"%PDF-1.4")
    assert not is_pdf(b" " * 1024 + b"%PDF-1.4")
    assert not is_pdf(b"PDF")
