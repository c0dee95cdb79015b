"""Searchable PDFs, over the real service."""

import io
from collections.abc import Callable

import httpx2
import pikepdf
import pypdfium2
import pytest

from tests.handlers.pdf.extractors import pdfium
from tests.model.decoding.pdfs import pdf
from tests.system.service import Service

Draw = Callable[..., bytes]
UPLOAD = pdf("TOTAL 4711", "PAGE TWO", box="[0 0 400 80]") + b"%secret, beside the pages\n"


def test_several_uploads_are_one_document(service: Service, draw: Draw) -> None:
    """In their order; a PDF's pages are as large as they were, and nothing else of it is left."""
    files = [("image", ("a.pdf", UPLOAD)), ("image", ("b.png", draw("LAST PAGE")))]
    with service.client() as client:
        answer = client.post("/ocr?format=pdf&dpi=100", files=files)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == 'inline; filename="ocr.pdf"'
    assert pdfium(answer.content) == ["TOTAL 4711", "PAGE TWO", "LAST PAGE"]
    assert b"secret" in UPLOAD
    assert b"secret" not in answer.content
    with pikepdf.open(io.BytesIO(answer.content)) as document:
        assert document.check_pdf_syntax() == []
        sides = [[float(side) for side in page.MediaBox[2:]] for page in document.pages]
        assert sides[0] == sides[1] == pytest.approx([400, 80], abs=0.5)
        images = [next(iter(page.get_images().values())) for page in document.pages]
        assert [int(image.Width) for image in images[:2]] == pytest.approx([556, 556], abs=2)


def test_an_error_after_the_first_page_cuts_the_document_off(service: Service, draw: Draw) -> None:
    """The client is told so, the log says why, and no program opens what has arrived."""
    after = len(service.log)
    files = [("image", ("a.png", draw("GOOD"))), ("image", ("b.png", b"\x89PNG\r\n\x1a\nbad"))]
    received: list[bytes] = []
    with (
        service.client() as client,
        client.stream("POST", "/ocr?format=pdf", files=files) as answer,
    ):
        assert answer.status_code == 200
        with pytest.raises(httpx2.RemoteProtocolError):
            received.extend(answer.iter_raw())
    assert '"problem": "unreadable_image"' in service.logged('"pages": 1', after=after)
    assert received[0].startswith(b"%PDF-1.7")
    with pytest.raises(pypdfium2.PdfiumError):
        pypdfium2.PdfDocument(b"".join(received))


def test_an_error_before_the_first_page_is_a_problem(service: Service) -> None:
    """As in every other format."""
    with service.client() as client:
        answer = client.post(
            "/ocr?format=pdf", content=b"no image", headers={"content-type": "image/png"}
        )
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_image_type")
