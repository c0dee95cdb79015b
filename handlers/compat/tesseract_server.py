"""tesseract-server's POST /tesseract: options and a file in, what tesseract would print out."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from handlers.bodies.body_errors import EmptyImage, FieldInvalid, FieldMissing
from handlers.compat.failure import Failure, failing_as
from handlers.compat.form import form_of
from handlers.compat.languages import CHINESE_AND_ENGLISH, check_language
from handlers.compat.reading import admitted
from handlers.description import described
from handlers.errors import InvalidParameter, RequestError
from handlers.formats.format import ResponseInfo
from handlers.formats.registry import format_named
from handlers.large_pages import worked
from middleware.request_context import request_context
from model.reader import Page, ReadingOptions, WordMode

OPTIONS = ("languages", "dpi", "pageSegmentationMethod", "ocrEngineMode", "tessDataDir",
           "userPatternsFile", "userWordsFile", "configParams")  # fmt: skip
FILES = ("tessDataDir", "userPatternsFile", "userWordsFile")
ONE_LINE = (7, 8, 9, 10, 13)  # page segmentation methods: a line, a word, a character
ONE_COLUMN = (4, 6)
SEGMENTATION = (1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13)  # 0 and 2 read no text
FORMATS = {"tessedit_create_txt": "text", "tessedit_create_hocr": "hocr",
           "tessedit_create_tsv": "tsv", "tessedit_create_alto": "alto"}  # fmt: skip
REFUSED = ("tessedit_char_whitelist", "tessedit_char_blacklist", "tessedit_char_unblacklist",
           "tessedit_create_pdf", "tessedit_create_boxfile", "tessedit_create_lstmbox",
           "tessedit_create_wordstrbox", "tessedit_create_page_xml")  # fmt: skip
TRUE = ("1", "true", "T", "t")


def failed(failure: Failure) -> Response:
    """Return an error: 400 for what is wrong with the form, 500 for what is with the file."""
    if failure.by_service:
        return JSONResponse({"error": failure.code, "reason": failure.detail}, failure.status)
    if isinstance(failure.cause, RequestError):
        document = {"error": "Request input validation failed", "reason": failure.detail}
        return JSONResponse(document, HTTPStatus.BAD_REQUEST)
    document = {"error": "error processing input", "reason": failure.detail}
    return JSONResponse(document, HTTPStatus.INTERNAL_SERVER_ERROR)


@described("handlers.openapi.drop_ins:tesseract")
@failing_as(failed)
async def tesseract(request: Request) -> Response:
    """Return the text, or hOCR, TSV or ALTO."""
    with admitted(request) as reading:
        form = await form_of(request)
        options = _checked(form.json("options"))
        file = form.file("file")
        if file is None:
            raise FieldMissing("file")
        if not file:
            raise EmptyImage(1)
        wanted = _formats(options.get("configParams", {}))
        method = options.get("pageSegmentationMethod", 3)
        pages = await reading.pages(
            file,
            ReadingOptions(
                detect=method not in ONE_LINE,
                by_columns=method not in ONE_COLUMN,
                words=WordMode.NONE if wanted == ["text"] else WordMode.WORD,
            ),
        )
    info = ResponseInfo(request_context(request.scope).request_id, paged=True)

    def answer() -> Response:
        output = "".join(_written(name, pages, info) for name in wanted)
        process = {"exit": {"code": 0, "signal": None}, "stderr": "", "stdout": output}
        return JSONResponse({"data": process})

    return await worked(reading.amount, answer)


def _checked(options: object) -> Mapping[str, Any]:
    """Return the options, none of which would give a wrong result if it were ignored.

    Raises:
        FieldMissing: there are none.
        FieldInvalid: they are no object, or one has the wrong type.
        InvalidParameter: one is unknown, or cannot be honoured.

    """
    if options is None:
        raise FieldMissing("options")
    if not isinstance(options, dict):
        raise FieldInvalid("options", "{...}")
    if not options.keys() <= set(OPTIONS):
        raise InvalidParameter(", ".join(OPTIONS), "options")
    languages = options.get("languages", ["eng"])
    if not isinstance(languages, list) or not languages:
        raise FieldInvalid("languages", '["chi_sim", "eng"]')
    for language in languages:
        check_language(str(language), name="languages", takes=CHINESE_AND_ENGLISH)
    if options.get("pageSegmentationMethod", 3) not in SEGMENTATION:
        raise InvalidParameter(", ".join(map(str, SEGMENTATION)), "pageSegmentationMethod")
    for name in FILES:
        if name in options:  # the server's own files are not the client's to choose
            raise InvalidParameter("null", name)
    return options


def _formats(parameters: object) -> list[str]:
    """Return the names of the formats that the configuration asks for; text without any.

    Raises:
        FieldInvalid: the configuration is no object of strings.
        InvalidParameter: it asks for what would change the result, and cannot be done.

    """
    if not isinstance(parameters, dict) or not all(
        isinstance(value, str) for value in parameters.values()
    ):
        raise FieldInvalid("configParams", '{"...": "..."}')
    for name in REFUSED:
        if parameters.get(name, "0") not in {"", "0", "F", "f", "false"}:
            raise InvalidParameter('"", "0"', name)
    return [format_ for name, format_ in FORMATS.items() if parameters.get(name) in TRUE] or [
        "text"
    ]


def _written(name: str, pages: Sequence[Page], info: ResponseInfo) -> str:
    """Return the pages in a format; tesseract ends each page of text with a form feed."""
    if name == "text":
        return "".join(f"{page.text}\n\f" for page in pages)
    writer = format_named(name).writer(info)
    parts = [*(writer.page(1, page) for page in pages), writer.end()]
    return b"".join(parts).decode()
