"""Umi-OCR's HTTP interface, version 2: POST /api/ocr, GET /api/ocr/get_options.

Its responses have the status 200 and a code: 100 text, 101 no text, others an error.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from handlers.bodies.body_errors import (
    EmptyBody,
    FieldInvalid,
    FieldMissing,
    JsonMalformed,
    MalformedImage,
)
from handlers.compat.failure import Failure, failing_as, receive_rest
from handlers.compat.json_object import json_object
from handlers.compat.languages import check_language
from handlers.compat.reading import admitted
from handlers.compat.umi_layout import PARSERS, Piece, pieces_of, reads_columns
from handlers.description import described
from handlers.errors import InvalidParameter
from handlers.large_pages import worked
from handlers.negotiation import preferred
from handlers.writing.geometry import Box, bounds
from model.errors import UploadError
from model.reader import Page, ReadingOptions

LANGUAGES = {
    "models/config_chinese.txt": "简体中文",
    "models/config_en.txt": "English",
    "models/config_chinese_cht(v2).txt": "繁體中文",
}
FORMATS = {"dict": "含有位置等信息的原始字典", "text": "纯文本"}
CHINESE_FIRST = ("zh", "en")
SUCCESS, NO_TEXT, OTHER_ERROR = 100, 101, 900
EMPTY_TEXT = "No text found"
NOTHING_IS_KEPT = {
    "zh": "本服务不保存文件和识别结果，因此不提供 /api/doc。"
    "请将文档发送到 POST /api/ocr 或 POST /ocr，较长的文档可用 ?pages= 分段识别。",
    "en": "This service keeps neither files nor results, so it has no /api/doc. Send the document "
    "to POST /api/ocr or POST /ocr, in parts by ?pages= if it is long.",
}
CODES: Mapping[type[Exception], int] = {
    JsonMalformed: 800,
    EmptyBody: 801,
    FieldMissing: 802,
    FieldInvalid: 803,
    InvalidParameter: 804,
    MalformedImage: 300,
    UploadError: 301,
}
"""The codes of errors: Umi-OCR's own, and those of its engine for images."""


class Umi(Response):
    """JSON as Umi-OCR sends it: escaped to ASCII, with the media type of HTML."""

    media_type = "text/html"

    def render(self, content: Any) -> bytes:
        """Return the JSON; "<" is escaped, so that a browser never sees tags in it."""
        return json.dumps(content).replace("<", "\\u003c").encode()


def failed(failure: Failure) -> Response:
    """Return an error: the status is 200, unless the service itself refused the request."""
    code = next((CODES[each] for each in type(failure.cause).__mro__ if each in CODES), OTHER_ERROR)
    if failure.by_service:
        return Umi({"code": failure.status, "data": failure.detail}, failure.status)
    return Umi({"code": code, "data": failure.detail})


@described("handlers.openapi.drop_ins:umi_ocr")
@failing_as(failed, languages=CHINESE_FIRST, with_success=True)
async def ocr(request: Request) -> Response:
    """Return the text of an image."""
    began, timestamp = time.perf_counter(), time.time()
    with admitted(request) as reading:
        body = await json_object(request)
        options = options_of(body.members.get("options"))
        file = await body.file("base64")
        pages = await reading.pages(file, ReadingOptions(by_columns=reads_columns(options.parser)))

    def answer() -> Response:
        data = data_of(pages, options)
        found = {"code": SUCCESS, "data": data} if data else {"code": NO_TEXT, "data": EMPTY_TEXT}
        spent_s = time.perf_counter() - began
        return Umi({**found, "time": round(spent_s, 4), "timestamp": timestamp})

    return await worked(reading.amount, answer)


@dataclass(frozen=True, slots=True)
class Options:
    """The options that have an effect."""

    parser: str = "multi_para"
    as_text: bool = False
    ignored: tuple[Box, ...] = ()


def options_of(given: object) -> Options:
    """Return the options of a request; unknown ones, and those of other engines, are ignored.

    Raises:
        FieldInvalid: they are no object, or the areas are no rectangles.
        InvalidParameter: a language cannot be read, or a parser or format is unknown.

    """
    if given is None:
        return Options()
    if not isinstance(given, dict):
        raise FieldInvalid("options", "{...}")
    language = given.get("ocr.language")
    if isinstance(language, str):
        check_language(language, name="ocr.language", takes=tuple(LANGUAGES))
    parser = _one_of(given, "tbpu.parser", PARSERS)
    form = _one_of(given, "data.format", FORMATS)
    areas = given.get("tbpu.ignoreArea") or []
    return Options(parser, form == "text", _boxes(areas))


def _one_of(given: Mapping[str, Any], name: str, values: Mapping[str, str]) -> str:
    """Return the value of an option, by default the first one that it takes.

    Raises:
        InvalidParameter: it takes no such value.

    """
    value = given.get(name, next(iter(values)))
    if not isinstance(value, str) or value not in values:
        raise InvalidParameter(", ".join(values), name)
    return value


def _boxes(areas: object) -> tuple[Box, ...]:
    """Return areas, each given by two opposite corners.

    Raises:
        InvalidParameter: one is given otherwise.

    """
    try:
        corners = [(*first, *last) for first, last in areas]  # type: ignore[attr-defined]
        return tuple(Box(*map(float, each)) for each in corners)
    except (TypeError, ValueError, OverflowError):
        raise InvalidParameter("[[[x1, y1], [x2, y2]], ...]", "tbpu.ignoreArea") from None


def data_of(pages: Sequence[Page], options: Options) -> list[dict[str, Any]] | str:
    """Return the member `data`; empty if there is no text.

    The elements have their page's number if there are several pages.
    """
    found = [
        (page.number, piece)
        for page in pages
        for piece in pieces_of(page, options.parser)
        if not _is_ignored(piece, options.ignored)
    ]
    if options.as_text:
        text = "".join(piece[0] + piece[2] for _, piece in found[:-1])
        return text + found[-1][1][0] if found else ""
    return [
        {
            "text": text,
            "score": round(line.confidence, 4),
            "box": line.polygon,
            "end": end,
            **({"page": number} if len(pages) > 1 else {}),
        }
        for number, (text, line, end) in found
    ]


def _is_ignored(piece: Piece, areas: Sequence[Box]) -> bool:
    """Return whether a line is wholly in one of the areas."""
    box = bounds(piece[1].polygon)
    return any(
        area.left <= box.left
        and area.top <= box.top
        and area.right >= box.right
        and area.bottom >= box.bottom
        for area in areas
    )


def _option(title: str, default: object, values: Mapping[Any, str] | None = None) -> dict[str, Any]:
    kind = "enum" if values else "boolean" if isinstance(default, bool) else "var"
    listed = {"optionsList": [list(pair) for pair in values.items()]} if values else {}
    return {"title": title, **listed, "type": kind, "default": default}


@described("handlers.openapi.drop_ins:umi_options")
@failing_as(failed, languages=CHINESE_FIRST, with_success=True)
async def get_options(_request: Request) -> Response:
    """Return the options of `ocr`, as Umi-OCR describes its own."""
    return Umi(
        {
            "ocr.language": _option("语言/模型库", next(iter(LANGUAGES)), LANGUAGES),
            "ocr.cls": {**_option("纠正文本方向", default=True), "toolTip": "总是启用"},
            "tbpu.parser": _option("排版解析方案", "multi_para", PARSERS),
            "tbpu.ignoreArea": {
                **_option("忽略区域", []),
                "toolTip": "数组，每一项为[[左上角x,y],[右下角x,y]]。",
            },
            "data.format": _option("数据返回格式", "dict", FORMATS),
        }
    )


@described("handlers.openapi.drop_ins:umi_documents")
@failing_as(failed, languages=CHINESE_FIRST, with_success=True)
async def documents(request: Request) -> Response:
    """Refuse /api/doc: it keeps documents and results between requests."""
    await receive_rest(request)
    language = preferred(request.headers.get("accept-language"), tuple(NOTHING_IS_KEPT))
    return JSONResponse({"code": OTHER_ERROR, "data": NOTHING_IS_KEPT[language]})
