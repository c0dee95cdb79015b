"""LiteParse's OCR server: POST /ocr with a page's image, lines with boxes out."""

from collections.abc import Sequence
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from handlers.bodies.body_errors import FieldMissing
from handlers.compat.failure import Failure, failing_as
from handlers.compat.form import form_of
from handlers.compat.languages import check_language
from handlers.compat.reading import admitted
from handlers.description import described
from handlers.large_pages import worked
from handlers.writing.geometry import bounds
from model.reader import Page


def failed(failure: Failure) -> Response:
    """Return an error: 400 for what is wrong with the request; other statuses stay."""
    invalid = {HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.UNSUPPORTED_MEDIA_TYPE}
    status = HTTPStatus.BAD_REQUEST if failure.status in invalid else failure.status
    return JSONResponse({"error": failure.detail}, status)


@described("handlers.openapi.drop_ins:liteparse")
@failing_as(failed)
async def ocr(request: Request) -> Response:
    """Return the lines of an image in reading order."""
    with admitted(request) as reading:
        form = await form_of(request)
        check_language(form.text("language") or "", name="language", takes=("en", "zh"))
        file = form.file("file")
        if file is None:
            raise FieldMissing("file")
        pages = await reading.pages(file)
    return await worked(reading.amount, _answer, pages)


def _answer(pages: Sequence[Page]) -> Response:
    results = [
        {
            "text": line.text or "",
            "bbox": bounds(line.polygon),
            "confidence": round(line.confidence, 4),
            "polygon": line.polygon,
            **({"page": page.number} if len(pages) > 1 else {}),
        }
        for page in pages
        for line in page.lines
    ]
    return JSONResponse({"results": results})
