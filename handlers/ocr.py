"""POST /ocr: images and documents in, text out."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from handlers.negotiation import preferred
from handlers.page_stream import PageStream
from handlers.problems import problem_document
from handlers.reading import Reading
from handlers.responses import as_document, as_text
from middleware.request_context import caller_name, request_context
from model.reader import Page, Reader

JSON = "application/json"
TEXT = "text/plain"
STREAM = "application/x-ndjson"


async def recognize(request: Request) -> Response:
    """Return the text of the uploads in the body, in their order, page by page."""
    response_type = preferred(request.headers.get("accept"), (JSON, TEXT, STREAM))
    reading = Reading(request, as_text=response_type == TEXT)
    if response_type == STREAM:
        return PageStream(request, reading.pages)
    reader: Reader = request.state.reader
    images: list[list[Page | dict[str, Any]]] = []
    # The slot is freed before the response is sent, so that a slow client does not hold it.
    with reader.slot(caller_name(request.scope)) as slot:
        async for image, page in reading.pages(slot):
            if image > len(images):
                images.append([])
            images[-1].append(page if isinstance(page, Page) else problem_document(request, page))
    if response_type == TEXT:
        return PlainTextResponse(as_text(images))
    request_id = request_context(request.scope).request_id
    return JSONResponse(as_document(images, request_id, paged=reading.parameters.paged))
