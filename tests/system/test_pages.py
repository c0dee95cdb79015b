"""Documents of several pages, over the real service."""

import io
import json
from collections.abc import Callable

from PIL import Image

from bench.pdf_file import assemble
from tests.model.decoding.pdfs import chinese_pdf, pdf
from tests.system.service import Service

PDF = {"content-type": "application/pdf"}
LARGE_BOX = "[0 0 400 80]"
Draw = Callable[..., bytes]


def test_a_pdf_is_read_page_by_page(service: Service) -> None:
    """Each page's text, in order, though no text layer is looked at."""
    data = pdf("TOTAL 4711", "PAGE TWO", box=LARGE_BOX)
    with service.client() as client:
        answer = client.post("/ocr", content=data, headers=PDF)
        document = answer.json()
        assert answer.status_code == 200, answer.text
        assert [page["text"] for page in document["pages"]] == ["TOTAL 4711", "PAGE TWO"]
        assert document["text"] == "TOTAL 4711\n\fPAGE TWO"
        assert [page["page"] for page in document["pages"]] == [1, 2]
        chosen = client.post("/ocr?pages=2", files={"file": data}).json()
        assert [page["page"] for page in chosen["pages"]] == [2]


def test_chinese_in_the_machine_s_font_is_read(service: Service) -> None:
    """A document that names its font without embedding it."""
    with service.client() as client:
        answer = client.post("/ocr", content=chinese_pdf("发票号码"), headers=PDF)
    assert answer.json()["text"] == "发票号码"


def test_frames_are_pages(service: Service, draw: Draw) -> None:
    """A fax in one TIFF."""
    pages = [Image.open(io.BytesIO(draw(text))) for text in ("FIRST PAGE", "SECOND PAGE")]
    stream = io.BytesIO()
    pages[0].save(stream, "TIFF", save_all=True, append_images=pages[1:])
    with service.client() as client:
        document = client.post("/ocr", files={"image": stream.getvalue()}).json()
    assert [page["text"] for page in document["pages"]] == ["FIRST PAGE", "SECOND PAGE"]


def test_invalid_documents_are_reported(start: Callable[..., Service]) -> None:
    """Each with its status and the limit or the number in the detail."""
    three = pdf("A", "B", "C")
    empty = assemble(["<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[]/Count 0>>"])
    cases = [
        ("/ocr", three, 413, "too_many_pages", "The limit is 2 pages"),
        ("/ocr?pages=4", three, 400, "no_such_page", "The last page of the document is 3."),
        ("/ocr?pages=2-4", three, 400, "no_such_page", "The last page of the document is 3."),
        ("/ocr?pages=x", three, 400, "unknown_parameter", "pages=1-3,7"),
        ("/ocr", empty, 422, "empty_document", "at least one page"),
        ("/ocr", b"%PDF-1.7\n nothing", 422, "unreadable_image", "corrupt"),
    ]
    with start(local="[model]\nmax_pages = 2\n") as service, service.client() as client:
        for path, data, status, code, detail in cases:
            answer = client.post(path, content=data, headers=PDF)
            assert (answer.status_code, answer.json()["code"]) == (status, code), path
            assert detail in answer.json()["detail"]
        assert client.post("/ocr?pages=2-3", content=three, headers=PDF).status_code == 200
        assert client.post("/ocr?pages=3,1", content=three, headers=PDF).status_code == 200


def test_the_page_limit_is_per_request(start: Callable[..., Service]) -> None:
    """Two documents share it."""
    two = pdf("A", "B")
    with start(local="[model]\nmax_pages = 3\n") as service, service.client() as client:
        files = [("file", ("1.pdf", two)), ("file", ("2.pdf", two))]
        answer = client.post("/ocr", files=files)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_many_pages")


def test_pages_are_streamed_as_they_are_read(service: Service) -> None:
    """The first line arrives before the last page is read; the log has all pages."""
    data = pdf(*["A PAGE"] * 6, box=LARGE_BOX)
    headers = {**PDF, "accept": "application/x-ndjson"}
    lines = []
    with service.client() as client:
        client.get("/readyz")
        with client.stream("POST", "/ocr", content=data, headers=headers) as answer:
            assert answer.headers["content-type"] == "application/x-ndjson"
            for line in answer.iter_lines():
                lines.append(json.loads(line))
                if len(lines) == 1:  # an answer that is complete is in the log
                    assert not any(lines[0]["request_id"] in entry for entry in service.log)
    assert [line["page"] for line in lines] == [1, 2, 3, 4, 5, 6]
    logged = json.loads(service.logged(lines[0]["request_id"]))
    assert (logged["images"], logged["pages"], logged["lines"]) == (1, 6, 6)


def test_a_page_that_fails_ends_the_stream(service: Service) -> None:
    """Pages before it are answered; the last line is the problem."""
    large = Image.new("L", (9000, 6000), 255)
    stream = io.BytesIO()
    Image.new("L", (200, 60), 255).save(
        stream, "TIFF", save_all=True, append_images=[large], compression="tiff_deflate"
    )
    with service.client() as client:
        answer = client.post(
            "/ocr", files={"image": stream.getvalue()}, headers={"accept": "application/x-ndjson"}
        )
    first, problem = (json.loads(line) for line in answer.text.splitlines())
    assert (answer.status_code, first["page"]) == (200, 1)
    assert (problem["status"], problem["code"]) == (413, "too_many_pixels")
    assert "54000000" in problem["detail"]
