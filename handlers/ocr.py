"""POST /ocr: images and documents in, text out."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from handlers.negotiation import preferred
from handlers.page_stream import PageStream
from handlers.parameters import Parameters, parameters_of
from handlers.responses import as_document, as_text
from handlers.uploads import images_from, media_type_of
from middleware.request_context import caller_name, open_receive_window, request_context
from model.reader import Page, Reader, Slot

ANSWERS = ("application/json", "text/plain", "application/x-ndjson")


async def recognize(request: Request) -> Response:
    """Read the uploads of the body, in the order they came, page by page."""
    parameters = parameters_of(request.query_params)
    media_type_of(request)
    answer = preferred(request.headers.get("accept"), ANSWERS)
    if answer == "application/x-ndjson":
        return PageStream(request, lambda slot: _read(request, slot, parameters))
    reader: Reader = request.state.reader
    readings: list[list[Page]] = []
    # The place is given back before the answer is sent: a client that does not read it holds none.
    with reader.slot(caller_name(request.scope)) as slot:
        async for image, page in _read(request, slot, parameters):
            if image > len(readings):
                readings.append([])
            readings[-1].append(page)
    if answer == "text/plain":
        return PlainTextResponse(as_text(readings))
    request_id = request_context(request.scope).request_id
    return JSONResponse(as_document(readings, request_id, paged=parameters.paged))


async def _read(
    request: Request, slot: Slot, parameters: Parameters
) -> AsyncGenerator[tuple[int, Page]]:
    """Yield each page of each upload with the upload's number, counted from 1."""
    open_receive_window(request.scope)
    uploads = await images_from(request, max_images=request.state.max_images)
    context = request_context(request.scope)
    context.images, context.pages, context.lines = len(uploads), 0, 0
    for number, upload in enumerate(uploads, 1):
        reading = slot.pages(upload, detect=parameters.detect, ranges=parameters.pages)
        async with aclosing(reading) as pages:
            async for page in pages:
                context.pages += 1
                context.lines += len(page.lines)
                yield number, page
