"""Each format, over the real service: the text that was drawn is in it, at its place."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from lxml import etree
from PIL import Image

from tests.model.decoding.pdfs import pdf
from tests.system.service import Service

TEXTS = ["TOTAL 4711", "PAGE TWO"]
SCHEMA = Path(__file__).parents[1] / "handlers" / "formats" / "data" / "alto-4-4.xsd"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    """Return a client of a service of its own: others' requests do not count for its limit."""
    with Service(tmp_path_factory.mktemp("formats")) as running, running.client() as one:
        yield one


@pytest.fixture(scope="module")
def document() -> bytes:
    """Return a document of two pages."""
    return pdf(*TEXTS, box="[0 0 400 80]")


def _written(client: httpx2.Client, document: bytes, name: str, **query: str) -> Any:
    """Return the response in a format."""
    headers = {"content-type": "application/pdf"}
    answer = client.post(
        "/ocr", params={"format": name, **query}, content=document, headers=headers
    )
    assert answer.status_code == 200, answer.text
    return answer


def test_tsv(client: httpx2.Client, document: bytes) -> None:
    """Each word with the number of its page, inside its line."""
    text = _written(client, document, "tsv").text
    rows = list(csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE))
    words = [row for row in rows if row["level"] == "5"]
    assert [(row["page_num"], row["text"]) for row in words] == [
        ("1", "TOTAL"),
        ("1", "4711"),
        ("2", "PAGE"),
        ("2", "TWO"),
    ]
    assert [int(row["left"]) for row in words[:2]] == sorted(int(row["left"]) for row in words[:2])
    assert all(float(row["conf"]) > 50 for row in words)


def test_hocr_and_alto(client: httpx2.Client, document: bytes) -> None:
    """Both parse, one validates, and they agree on the place of the first word."""
    hocr = etree.fromstring(_written(client, document, "hocr").content)
    lines = [each for each in hocr.iter() if each.get("class") == "ocr_line"]
    assert ["".join(line.itertext()).strip() for line in lines] == TEXTS
    alto = etree.fromstring(_written(client, document, "alto").content)
    etree.XMLSchema(etree.parse(SCHEMA)).assertValid(alto)
    strings = [each for each in alto.iter() if each.tag.endswith("}String")]
    assert [each.get("CONTENT") for each in strings] == " ".join(TEXTS).split()
    left, top = lines[0][0].get("title").split()[1:3]
    assert (strings[0].get("HPOS"), strings[0].get("VPOS")) == (left, top)


def test_markdown_and_blank_lines(client: httpx2.Client, document: bytes) -> None:
    """Nothing is certain enough for a confidence of 1: the text is blank, its place is not."""
    assert _written(client, document, "markdown").text == "TOTAL 4711\n\n* * *\n\nPAGE TWO\n"
    blank = _written(client, document, "alto", min_confidence="1", pages="1").text
    assert 'CONTENT=""' in blank
    assert "TOTAL" not in blank


def test_png(client: httpx2.Client, document: bytes) -> None:
    """One page, in the size of the page and with something blue in it; two are refused."""
    answer = _written(client, document, "png", pages="2")
    assert answer.headers["content-disposition"] == 'inline; filename="ocr.png"'
    image = Image.open(io.BytesIO(answer.content))
    assert (image.format, image.width > 400) == ("PNG", True)
    pixels = image.tobytes()
    assert any(blue > red + 100 for red, blue in zip(pixels[::3], pixels[2::3], strict=True))
    refused = client.post("/ocr?format=png", files={"image": document})
    assert (refused.status_code, refused.json()["code"]) == (400, "format_single_page")
