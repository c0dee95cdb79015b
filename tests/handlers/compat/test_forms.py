"""The drop-ins that take a form: rapidocr_api, LiteParse, OCR.space, tesseract-server."""

import base64
import json
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest

from model.reader import WordMode
from tests.handlers.compat.conftest import (
    MULTIPART,
    URLENCODED,
    PageReader,
    Reply,
    Send,
    form,
    line,
    page,
)

pytestmark = pytest.mark.anyio

RAPID, LITE, SPACE, TESS = "/rapidocr/ocr", "/liteparse/ocr", "/parse/image", "/tesseract"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 3


async def post(send: Send, path: str, **fields: str | bytes) -> Reply:
    """Send a multipart form."""
    reply: Reply = await send(path, form(fields), content_type=MULTIPART)
    return reply


async def test_rapidocr(send: Send, reader: PageReader) -> None:
    """Lines by their number as a string, coordinates as floats."""
    reply = await post(send, RAPID, image_file=PNG, use_cls="True")
    assert reply.json() == {
        "0": {
            "rec_txt": "Hello 世界",
            "dt_boxes": [[10.0, 20.0], [110.0, 20.0], [110.0, 40.0], [10.0, 40.0]],
            "score": 0.9,
        }
    }
    assert b"[10.0,20.0]" in reply.body
    assert reader.file == PNG
    assert (await post(send, RAPID, image_file=PNG, use_rec="false")).json() == {}
    await post(send, RAPID, image_file=PNG, use_det="0")
    assert not reader.options.detect


@pytest.mark.parametrize("encode", [quote_plus, lambda text: text])
async def test_rapidocr_takes_base64(encode: Any, send: Send, reader: PageReader) -> None:
    """In either kind of form; a plus sign that was not escaped is still one."""
    text = base64.b64encode(PNG * 300).decode()
    assert "+" in text
    body = f"use_det=true&image_data={encode(text)}".encode()
    assert (await send(RAPID, body, content_type=URLENCODED)).status == 200
    assert reader.file == PNG * 300
    await post(send, RAPID, image_data=text[:400])
    assert reader.file == (PNG * 300)[:300]


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({}, ["body", "image_file"]),
        ({"image_file": PNG, "use_det": "hunter2"}, ["body", "use_det"]),
        ({"image_data": "hunter2!"}, ["body"]),
        ({"image_data": "https://hunter2/x.png"}, ["body"]),
    ],
)
async def test_rapidocr_errors(fields: Any, where: list[str], send: Send) -> None:
    """As FastAPI's: a list for the request, a text for the file."""
    reply = await post(send, RAPID, **fields)
    assert (reply.status, reply.json()["detail"][0]["loc"]) == (422, where)
    assert b"hunter2" not in reply.body
    torn = await post(send, RAPID, image_file=b"torn")
    assert torn.status == 422
    assert torn.json()["detail"].startswith("The file is truncated")


async def test_liteparse(send: Send) -> None:
    """Its own example of a response, with polygons."""
    reply = await post(send, LITE, file=PNG, language="zh")
    assert reply.json() == {
        "results": [
            {
                "text": "Hello 世界",
                "bbox": [10, 20, 110, 40],
                "confidence": 0.9,
                "polygon": [[10, 20], [110, 20], [110, 40], [10, 40]],
            }
        ]
    }


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"language": "en"}, 400),
        ({"file": PNG, "language": "fr"}, 400),
        ({"file": b"torn"}, 400),
        ({"file": b"text"}, 400),
        ({"file": b"bug"}, 500),
    ],
)
async def test_liteparse_errors(fields: Any, status: int, send: Send) -> None:
    """A text, as its specification wants."""
    reply = await post(send, LITE, **fields)
    assert (reply.status, list(reply.json())) == (status, ["error"])


async def test_ocr_space(send: Send, reader: PageReader) -> None:
    """One element a page; the overlay has words; the time is a string."""
    reader.pages_read.append(page(line("two", (0, 0, 9, 9)), number=2, of_document=True))
    reply = await post(send, SPACE, filename=PNG, language="chs", isOverlayRequired="True")
    answer = reply.json()
    assert answer.pop("ProcessingTimeInMilliseconds").isdecimal()
    first, second = answer.pop("ParsedResults")
    assert answer == {
        "OCRExitCode": 1,
        "IsErroredOnProcessing": False,
        "SearchablePDFURL": "Searchable PDF not generated as it was not requested.",
    }
    word = {"Left": 10, "Top": 20, "Height": 20, "Width": 100}
    assert first == {
        "TextOverlay": {
            "Lines": [
                {
                    "LineText": "Hello 世界",
                    "Words": [{"WordText": "Hello", **word}, {"WordText": "世界", **word}],
                    "MaxHeight": 20,
                    "MinTop": 20,
                }
            ],
            "HasOverlay": True,
            "Message": "Total lines: 1",
        },
        "TextOrientation": "0",
        "FileParseExitCode": 1,
        "ParsedText": "Hello 世界\r\n",
        "ErrorMessage": "",
        "ErrorDetails": "",
    }
    assert second["ParsedText"] == "two\r\n"
    assert reader.options.words is WordMode.WORD


async def test_ocr_space_without_overlay(send: Send, reader: PageReader) -> None:
    """A table's rows have tabs; a PDF is not made, but named; words cost nothing."""
    reader.pages_read = [page(line("Tea", (0, 0, 50, 20)), line("4.20", (90, 0, 130, 20)),
                              line("Sum", (0, 30, 50, 50)))]  # fmt: skip
    data = "data:image/png;base64," + base64.b64encode(PNG).decode()
    fields = {"base64Image": data, "isTable": "true", "isCreateSearchablePdf": "true"}
    reply = await send(SPACE, urlencode(fields).encode(), content_type=URLENCODED)
    result = reply.json()["ParsedResults"][0]
    assert result["ParsedText"] == "Tea\t4.20\t\r\nSum\t\r\n"
    assert result["TextOverlay"]["Lines"] == []
    assert not result["TextOverlay"]["HasOverlay"]
    assert "/ocr?format=pdf" in reply.json()["SearchablePDFURL"]
    assert (reader.file, reader.options.by_columns) == (PNG, False)
    assert reader.options.words is WordMode.NONE


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, 99),
        ({"url": "https://hunter2/x.png"}, 99),
        ({"base64Image": "https://hunter2/x.png"}, 99),
        ({"file": PNG, "language": "jpn"}, 99),
        ({"file": PNG, "isTable": "hunter2"}, 99),
        ({"base64Image": "data:image/png;base64,hunter2!"}, 4),
        ({"file": b"torn"}, 3),
        ({"file": b"text"}, 3),
        ({"file": b"bug"}, 4),
    ],
)
async def test_ocr_space_errors(fields: Any, code: int, send: Send) -> None:
    """The status is 200, the messages are a list."""
    reply = await post(send, SPACE, **fields)
    answer = reply.json()
    assert (reply.status, answer["OCRExitCode"]) == (200, code)
    assert answer["IsErroredOnProcessing"]
    assert len(answer["ErrorMessage"]) == 1
    assert b"hunter2" not in reply.body


OPTIONS = '{"languages": ["chi_sim", "eng"]}'


async def test_tesseract(send: Send, reader: PageReader) -> None:
    """What tesseract would have printed, in `data`; a form feed ends each page."""
    reply = await post(send, TESS, options=OPTIONS, file=PNG)
    process = {"exit": {"code": 0, "signal": None}, "stderr": "", "stdout": "Hello 世界\n\f"}
    assert reply.json() == {"data": process}
    await post(send, TESS, options='{"pageSegmentationMethod": 7}', file=PNG)
    assert not reader.options.detect
    await post(send, TESS, options='{"pageSegmentationMethod": 6}', file=PNG)
    assert (reader.options.detect, reader.options.by_columns) == (True, False)


@pytest.mark.parametrize(
    ("parameter", "begins"),
    [
        ("tessedit_create_hocr", "<?xml"),
        ("tessedit_create_tsv", "level\tpage_num"),
        ("tessedit_create_alto", "<?xml"),
        ("tessedit_create_txt", "Hello"),
    ],
)
async def test_tesseract_has_other_outputs(parameter: str, begins: str, send: Send) -> None:
    """By the configuration that tesseract takes for them."""
    options = json.dumps({"configParams": {parameter: "1", "preserve_interword_spaces": "1"}})
    output = (await post(send, TESS, options=options, file=PNG)).json()["data"]["stdout"]
    assert output.startswith(begins)
    assert "Hello" in output


@pytest.mark.parametrize(
    "options",
    [
        None,
        "hunter2",
        "[]",
        '{"hunter2": 1}',
        '{"languages": []}',
        '{"languages": ["deu"]}',
        '{"languages": [["hunter2"]]}',
        '{"pageSegmentationMethod": 0}',
        '{"pageSegmentationMethod": [1]}',
        '{"tessDataDir": "/etc"}',
        '{"userWordsFile": "/etc/passwd"}',
        '{"configParams": []}',
        '{"configParams": {"x": 1}}',
        '{"configParams": {"tessedit_char_whitelist": "0123456789"}}',
        '{"configParams": {"tessedit_create_pdf": "1"}}',
    ],
)
async def test_tesseract_refuses_options(options: str | None, send: Send) -> None:
    """Those that would give another result, were they ignored."""
    fields: dict[str, str | bytes] = {} if options is None else {"options": options}
    reply = await post(send, TESS, **{**fields, "file": PNG})
    assert reply.status == 400
    assert reply.json()["error"] == "Request input validation failed"
    assert b"hunter2" not in reply.body


@pytest.mark.parametrize(
    ("file", "status", "error"),
    [(None, 400, "Request input validation failed"), (b"", 400, "Request input validation failed"),
     (b"torn", 500, "error processing input"), (b"text", 500, "error processing input")],
)  # fmt: skip
async def test_tesseract_refuses_files(
    file: bytes | None, status: int, error: str, send: Send
) -> None:
    """As the server does: the form is checked first, then the file is read."""
    fields = {"options": "{}"} if file is None else {"options": "{}", "file": file}
    reply = await post(send, TESS, **fields)
    assert (reply.status, reply.json()["error"]) == (status, error)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"&".join([b"a=1"] * 100), URLENCODED),
        (form({f"f{number}": "x" for number in range(100)}), MULTIPART),
        (form({"options": "x" * 70_000}), MULTIPART),
        (b"--b0undary\r\nhunter2", MULTIPART),
        (b"hunter2", MULTIPART),
        (b"hunter2", "text/plain"),
        (b"", MULTIPART),
    ],
)
async def test_hostile_forms_are_refused(body: bytes, content_type: str, send: Send) -> None:
    """With more fields than any client sends, too long, or no form at all."""
    for path in (RAPID, LITE, SPACE, TESS):
        reply = await send(path, body, content_type=content_type)
        assert reply.status == (200 if path == SPACE else 422 if path == RAPID else 400)
        assert b"hunter2" not in reply.body
