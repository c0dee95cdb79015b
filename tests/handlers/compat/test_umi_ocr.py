"""Umi-OCR: requests and responses as its own documentation and code have them."""

import json
from typing import Any

import pytest

from tests.handlers.compat.conftest import ELSEWHERE, PageReader, Send, line, page

pytestmark = pytest.mark.anyio

OCR = "/api/ocr"


def body(options: object = None, **members: Any) -> bytes:
    """Return a body as the example in Umi-OCR's documentation builds it: with json.dumps()."""
    data = {"base64": "QUJD", **({} if options is None else {"options": options}), **members}
    return json.dumps(data).encode()


async def test_a_text(send: Send, reader: PageReader) -> None:
    """Its JSON is escaped to ASCII and sent as HTML; no Content-Type is needed."""
    reply = await send(OCR, body())
    assert (reply.status, reply["content-type"]) == (200, "text/html; charset=utf-8")
    assert reply.body.isascii()
    answer = reply.json()
    assert answer.pop("time") >= 0
    assert answer.pop("timestamp") > 1.7e9
    assert answer == {
        "code": 100,
        "data": [
            {
                "text": "Hello 世界",
                "score": 0.9,
                "box": [[10, 20], [110, 20], [110, 40], [10, 40]],
                "end": "\n",
            }
        ],
    }
    assert reader.file == b"ABC"
    assert reader.options.by_columns


async def test_tags_in_the_text_are_no_tags(send: Send, reader: PageReader) -> None:
    """A browser takes the response for HTML."""
    reader.pages_read = [page(line("<script>alert(1)</script>", (0, 0, 9, 9)))]
    reply = await send(OCR, body())
    assert b"<" not in reply.body
    assert reply.json()["data"][0]["text"] == "<script>alert(1)</script>"


async def test_plain_text(send: Send, reader: PageReader) -> None:
    """The lines with their separators, but for the last one's."""
    reader.pages_read = [page(line("第一行", (0, 0, 90, 20)), line("第二行", (0, 30, 90, 50)))]
    options = {"data.format": "text", "tbpu.parser": "multi_line"}
    assert (await send(OCR, body(options))).json()["data"] == "第一行\n第二行"


async def test_no_text(send: Send, reader: PageReader) -> None:
    """The code 101, with a text instead of a list."""
    reader.pages_read = [page()]
    answer = (await send(OCR, body())).json()
    assert (answer["code"], answer["data"]) == (101, "No text found")


async def test_lines_in_an_ignored_area_are_left_out(send: Send, reader: PageReader) -> None:
    """Those that are wholly inside; one that reaches out of it stays."""
    reader.pages_read = [page(line("in", (10, 10, 90, 40)), line("out", (10, 40, 101, 50)))]
    answer = (await send(OCR, body({"tbpu.ignoreArea": [[[0, 0], [100, 50]]]}))).json()
    assert [each["text"] for each in answer["data"]] == ["out"]


@pytest.mark.parametrize(
    "options",
    [
        {"ocr.language": "models/config_chinese.txt", "ocr.cls": True, "ocr.limit_side_len": 4320},
        {"ocr.language": "简体中文", "ocr.angle": False, "ocr.maxSideLen": 1024},
        {"ocr.language": "English", "hunter2": [1]},
        {"tbpu.ignoreArea": []},
        {},
    ],
)
async def test_options_of_all_engines_are_taken(options: dict[str, Any], send: Send) -> None:
    """What has no effect here is ignored."""
    assert (await send(OCR, body(options))).json()["code"] == 100


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"", 801),
        (b"hunter2", 800),
        (b"[1]", 803),
        (b"{}", 802),
        (b'{"options": {}}', 802),
        (b"[" * 50_000, 800),
        (b'{"base64": "QUJD", "x": "' + b'",'.join([b'"'] * 40_000), 800),
        (body([]), 803),
        (body(base64=1), 803),
        (body({"ocr.language": "models/config_japan.txt"}), 804),
        (body({"ocr.language": "日本語"}), 804),
        (body({"tbpu.parser": "hunter2"}), 804),
        (body({"tbpu.parser": ["hunter2"]}), 804),
        (body({"data.format": "xml"}), 804),
        (body({"tbpu.ignoreArea": [[[0, 0], [1]]]}), 804),
        (body({"tbpu.ignoreArea": [["00", "11"]]}), 100),
        (body({"tbpu.ignoreArea": 3}), 804),
        (body(base64="QU!hunter2"), 300),
        (body(base64="http://hunter2/x.png"), 300),
        (body(base64=""), 300),
        (body(base64="dG9ybg=="), 301),
        (body(base64="dGV4dA=="), 301),
        (body(base64="YnVn"), 900),
    ],
)
async def test_errors_have_codes_and_the_status_200(sent: bytes, code: int, send: Send) -> None:
    """In Chinese unless the client prefers English; what was sent is never repeated."""
    reply = await send(OCR, sent)
    assert (reply.status, reply["content-type"]) == (200, "text/html; charset=utf-8")
    assert reply.json()["code"] == code
    assert b"hunter2" not in reply.body
    english = (await send(OCR, sent, accept_language="en")).json()
    assert code == 100 or (english["data"].isascii() and not reply.json()["data"].isascii())


@pytest.mark.parametrize("escaped", [False, True])
async def test_large_images_are_decoded(*, escaped: bool, send: Send, reader: PageReader) -> None:
    """Also with the escapes of other languages' encoders, and a data: prefix."""
    text = "data:image/png;base64," + "QUJD/+/+" * 400_000
    sent = json.dumps({"base64": text, "options": {"data.format": "text"}})
    reply = await send(OCR, (sent.replace("/", "\\/") if escaped else sent).encode())
    assert reply.json()["code"] == 100
    assert reader.file == b"ABC\xff\xef\xfe" * 400_000


async def test_pages_of_a_document(send: Send, reader: PageReader) -> None:
    """Their lines have the number of their page; ?pages= selects some."""
    reader.pages_read = [
        page(line(f"page{number}", (0, 0, 9, 9)), number=number, of_document=True)
        for number in (1, 2)
    ]
    answer = (await send(OCR, body(), query=b"pages=1-2")).json()
    assert [(each["text"], each["page"]) for each in answer["data"]] == [("page1", 1), ("page2", 2)]
    assert (reader.ranges[0].first, reader.ranges[0].last) == (1, 2)
    assert (await send(OCR, body(), query=b"pages=0")).json()["code"] == 804


async def test_get_options(send: Send) -> None:
    """Each has title, type and default; an enum lists its values."""
    reply = await send("/api/ocr/get_options", method="GET")
    assert reply["content-type"] == "text/html; charset=utf-8"
    options = reply.json()
    assert set(options) == {
        "ocr.language", "ocr.cls", "tbpu.parser", "tbpu.ignoreArea", "data.format"
    }  # fmt: skip
    for option in options.values():
        assert {"title", "type", "default"} <= option.keys()
        values = [value for value, _ in option.get("optionsList", [])]
        assert (option["type"] == "enum") == bool(values)
        assert not values or option["default"] in values
    for parser, _ in options["tbpu.parser"]["optionsList"][:7]:
        assert (await send(OCR, body({"tbpu.parser": parser}))).json()["code"] == 100


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "upload"), ("GET", "get_options"), ("POST", "result"), ("POST", "download")],
)
async def test_documents_are_not_kept(method: str, path: str, send: Send) -> None:
    """The reason is in Umi-OCR's own form, with neither of the codes that its example expects."""
    reply = await send(f"/api/doc/{path}", b"x" * 9, method=method)
    assert reply.status == 200
    assert reply.json()["code"] not in {100, 101}
    assert "?pages=" in reply.json()["data"]


async def test_other_machines_need_a_key(send: Send) -> None:
    """The form of the error is Umi-OCR's, the status what it is anywhere."""
    reply = await send(OCR, body(), client=ELSEWHERE)
    assert (reply.status, reply.json()["code"]) == (401, 401)
    assert reply["www-authenticate"].startswith("Bearer")
