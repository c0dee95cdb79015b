"""OCR.space's POST /parse/image: a form in, a result for each page out.

Its responses have the status 200, also for errors, whose messages are a list.
"""

import time
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from handlers.bodies.body_errors import FieldInvalid, FieldMissing, ImageIsUrl
from handlers.compat.boxes import rows_of
from handlers.compat.failure import Failure, failing_as
from handlers.compat.form import Form, form_of
from handlers.compat.languages import check_language
from handlers.compat.reading import admitted
from handlers.description import described
from handlers.errors import InvalidParameter
from handlers.large_pages import worked
from handlers.writing.geometry import bounds
from middleware.errors import DeadlineExceeded
from model.errors import UploadError
from model.reader import Line, Page, ReadingOptions, WordMode

ALL_PARSED, NONE_PARSED, FATAL, BAD_PARAMETER = 1, 3, 4, 99
CODES: Mapping[type[Exception], int] = {
    UploadError: NONE_PARSED,
    DeadlineExceeded: NONE_PARSED,
    InvalidParameter: BAD_PARAMETER,
    FieldInvalid: BAD_PARAMETER,
    FieldMissing: BAD_PARAMETER,
    ImageIsUrl: BAD_PARAMETER,
}
NO_OVERLAY = "Text overlay is not provided as it is not requested"
NOT_REQUESTED = "Searchable PDF not generated as it was not requested."
NOT_KEPT = (
    "Searchable PDF not generated: this service keeps no files. POST /ocr?format=pdf returns it."
)


def failed(failure: Failure) -> Response:
    """Return an error: the status is 200, unless the service itself refused the request."""
    code = next((CODES[each] for each in type(failure.cause).__mro__ if each in CODES), FATAL)
    began = getattr(failure.request.state, "began", None)
    document = {
        "OCRExitCode": code,
        "IsErroredOnProcessing": True,
        "ErrorMessage": [failure.detail],
        "ErrorDetails": failure.code,
        "ProcessingTimeInMilliseconds": _milliseconds(began),
    }
    return JSONResponse(document, failure.status if failure.by_service else 200)


@described("handlers.openapi.drop_ins:ocr_space")
@failing_as(failed, with_success=True)
async def parse_image(request: Request) -> Response:
    """Return the text of each page and, if it is required, the boxes of its words."""
    request.state.began = time.perf_counter()
    with admitted(request) as reading:
        form = await form_of(request)
        language = form.text("language") or ""
        check_language(language, name="language", takes=("eng", "chs", "cht", "auto"))
        as_table = form.flag("isTable")
        overlay = form.flag("isOverlayRequired")
        wants_pdf = form.flag("isCreateSearchablePdf")
        options = ReadingOptions(
            by_columns=not as_table, words=WordMode.WORD if overlay else WordMode.NONE
        )
        pages = await reading.pages(await _file_of(form), options)
    document = {
        "OCRExitCode": ALL_PARSED,
        "IsErroredOnProcessing": False,
        "ProcessingTimeInMilliseconds": _milliseconds(request.state.began),
        "SearchablePDFURL": NOT_KEPT if wants_pdf else NOT_REQUESTED,
    }

    def answer() -> Response:
        results = [_result(page, as_table=as_table, overlay=overlay) for page in pages]
        return JSONResponse({"ParsedResults": results, **document})

    return await worked(reading.amount, answer)


async def _file_of(form: Form) -> bytes:
    """Return the file: in any field that has one, or as base64.

    Raises:
        ImageIsUrl: there is a URL instead.
        FieldMissing: there is nothing.

    """
    file = form.file()
    file = await form.base64("base64Image") if file is None else file
    if file is None:
        if form.text("url") is not None:
            raise ImageIsUrl(1)
        raise FieldMissing("file")
    return file


def _result(page: Page, *, as_table: bool, overlay: bool) -> dict[str, Any]:
    lines = [_line(line) for line in page.lines] if overlay else []
    message = f"Total lines: {len(lines)}" if overlay else NO_OVERLAY
    return {
        "TextOverlay": {"Lines": lines, "HasOverlay": overlay, "Message": message},
        "TextOrientation": str(page.rotation),
        "FileParseExitCode": 1,
        "ParsedText": _text(page, as_table=as_table),
        "ErrorMessage": "",
        "ErrorDetails": "",
    }


def _text(page: Page, *, as_table: bool) -> str:
    """Return the text with CR LF after each line; of a table, tabs after each cell."""
    if as_table:
        rows = [[line.text or "" for line, _ in row] for row in rows_of(page)]
        return "".join("\t".join([*row, "\r\n"]) for row in rows)
    return "".join(f"{line.text or ''}\r\n" for line in page.lines)


def _line(line: Line) -> dict[str, Any]:
    words = [_word(word.text, word.polygon) for word in line.words]
    box = bounds(line.polygon)
    return {
        "LineText": line.text or "",
        "Words": words,
        "MaxHeight": max((word["Height"] for word in words), default=box.height),
        "MinTop": min((word["Top"] for word in words), default=box.top),
    }


def _word(text: str, polygon: tuple[tuple[int, int], ...]) -> dict[str, Any]:
    box = bounds(polygon)
    place = {"Left": box.left, "Top": box.top, "Height": box.height, "Width": box.width}
    return {"WordText": text, **place}


def _milliseconds(began: float | None) -> str:
    """Return the time since then as OCR.space writes it: a string."""
    return "0" if began is None else str(round((time.perf_counter() - began) * 1000))
