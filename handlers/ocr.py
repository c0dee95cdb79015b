"""POST /ocr: images and documents in, text out."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from handlers.negotiation import preferred
from handlers.page_stream import PageStream
from handlers.parameters import Parameters, parameters_of
from handlers.responses import as_document, as_text
from handlers.uploads import images_from, media_type_of
from middleware.request_context import caller_name, open_receive_window, request_context
from model.reader import Page, Reader, Slot

JSON = "application/json"
TEXT = "text/plain"
STREAM = "application/x-ndjson"


async def recognize(request: Request) -> Response:
    """Return the text of the uploads in the body, in their order, page by page."""
    parameters = parameters_of(request.query_params)
    read = partial(_read, request, media_type_of(request), parameters)
    response_type = preferred(request.headers.get("accept"), (JSON, TEXT, STREAM))
    if response_type == STREAM:
        return PageStream(request, read)
    reader: Reader = request.state.reader
    readings: list[list[Page]] = []
    # The slot is freed before the response is sent, so that a slow client does not hold it.
    with reader.slot(caller_name(request.scope)) as slot:
        async for image, page in read(slot):
            if image > len(readings):
                readings.append([])
            readings[-1].append(page)
    if response_type == TEXT:
        return PlainTextResponse(as_text(readings))
    request_id = request_context(request.scope).request_id
    return JSONResponse(as_document(readings, request_id, paged=parameters.paged))


async def _read(
    request: Request, media_type: str, parameters: Parameters, slot: Slot
) -> AsyncGenerator[tuple[int, Page]]:
    """Yield each page of each upload with the upload's number, counted from 1."""
    open_receive_window(request.scope)
    uploads = await images_from(request, media_type, max_images=request.state.max_images)
    context = request_context(request.scope)
    context.images, context.pages, context.lines = len(uploads), 0, 0
    for number, upload in enumerate(uploads, 1):
        reading = slot.pages(upload, detect=parameters.detect, ranges=parameters.pages)
        async with aclosing(reading) as pages:
            async for page in pages:
                context.pages += 1
                context.lines += len(page.lines)
                yield number, page
