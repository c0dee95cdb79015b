"""Open WebUI's external document loader: PUT /process with a file, its text out, a page each."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from handlers.compat.failure import Failure, failing_as
from handlers.compat.reading import admitted
from handlers.description import described
from model.errors import UnsupportedImageType

NO_TEXT = "No extractable text"


def failed(failure: Failure) -> Response:
    """Return an error with its detail.

    With the words of NO_TEXT Open WebUI reads the file itself: so it does for text, DOCX and other
    files that need no OCR.
    """
    if isinstance(failure.cause, UnsupportedImageType):
        return JSONResponse(
            {"detail": f"{NO_TEXT}. {failure.detail}"}, HTTPStatus.UNPROCESSABLE_ENTITY
        )
    return JSONResponse({"detail": failure.detail}, failure.status)


@described("handlers.openapi.drop_ins:open_webui")
@failing_as(failed)
async def process(request: Request) -> Response:
    """Return the text of each page that has any. The file's name is not looked at."""
    with admitted(request) as reading:
        pages = await reading.pages(await request.body())
    documents = [
        {"page_content": page.text, "metadata": {"page": page.number, "model": page.model}}
        for page in pages
        if page.text
    ]
    if not documents:
        return JSONResponse({"detail": NO_TEXT}, HTTPStatus.UNPROCESSABLE_ENTITY)
    return JSONResponse(documents)
