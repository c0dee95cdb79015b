"""rapidocr_api's POST /ocr: a form in, lines by number out."""

from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from handlers.bodies.body_errors import FieldMissing
from handlers.compat.failure import Failure, failing_as
from handlers.compat.form import Form, form_of
from handlers.compat.reading import admitted
from handlers.description import described
from handlers.errors import RequestError
from handlers.large_pages import worked
from model.reader import Page, ReadingOptions


def failed(failure: Failure) -> Response:
    """Return an error as FastAPI does: a list for what is wrong with the request, else a text."""
    if isinstance(failure.cause, RequestError):
        name = getattr(failure.cause, "name", None)
        where = ["body", name] if name else ["body"]
        problem = {"type": failure.code, "loc": where, "msg": failure.detail}
        return JSONResponse({"detail": [problem]}, HTTPStatus.UNPROCESSABLE_ENTITY)
    return JSONResponse({"detail": failure.detail}, failure.status)


@described("handlers.openapi.drop_ins:rapidocr")
@failing_as(failed)
async def ocr(request: Request) -> Response:
    """Return the lines of an image: their text, box and score by their number."""
    with admitted(request) as reading:
        form = await form_of(request)
        file = await _file_of(form)
        options = ReadingOptions(detect=form.flag("use_det", default=True))
        wants_text = form.flag("use_rec", default=True)
        form.flag("use_cls")  # lines are always turned upright
        pages = await reading.pages(file, options)
    if not wants_text:
        return JSONResponse({})
    return await worked(reading.amount, lambda: JSONResponse(_document(pages)))


async def _file_of(form: Form) -> bytes:
    """Return the file, sent as one or as base64.

    Raises:
        FieldMissing: there is none.

    """
    file = form.file("image_file")
    file = await form.base64("image_data") if file is None else file
    if file is None:
        raise FieldMissing("image_file")
    return file


def _document(pages: list[Page]) -> dict[str, Any]:
    """Return the lines of all pages; with several pages each has its page's number."""
    lines = [(page.number, line) for page in pages for line in page.lines]
    return {
        str(index): {
            "rec_txt": line.text or "",
            "dt_boxes": [[float(x), float(y)] for x, y in line.polygon],
            "score": round(line.confidence, 4),
            **({"page": number} if len(pages) > 1 else {}),
        }
        for index, (number, line) in enumerate(lines)
    }
