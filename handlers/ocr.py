"""POST /ocr: images and documents in, text out."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from handlers.answers import as_document, as_text
from handlers.negotiation import preferred
from handlers.page_stream import PageStream
from handlers.parameters import Parameters, parameters_of
from handlers.uploads import images_from, media_type_of
from middleware.request_context import caller_of, exchange_of, open_window
from model.reader import Page, Place, Reader

ANSWERS = ("application/json", "text/plain", "application/x-ndjson")


async def recognize(request: Request) -> Response:
    """Read the uploads of the body, in the order they came, page by page."""
    parameters = parameters_of(request.query_params)
    media_type_of(request)
    answer = preferred(request.headers.get("accept"), ANSWERS)
    if answer == "application/x-ndjson":
        return PageStream(request, lambda place: _read(request, place, parameters))
    reader: Reader = request.state.reader
    readings: list[list[Page]] = []
    # The place is given back before the answer is sent: a client that does not read it holds none.
    with reader.place(caller_of(request.scope)) as place:
        async for image, page in _read(request, place, parameters):
            if image > len(readings):
                readings.append([])
            readings[-1].append(page)
    if answer == "text/plain":
        return PlainTextResponse(as_text(readings))
    request_id = exchange_of(request.scope).request_id
    return JSONResponse(as_document(readings, request_id, paged=parameters.paged))


async def _read(
    request: Request, place: Place, parameters: Parameters
) -> AsyncGenerator[tuple[int, Page]]:
    """Yield each page of each upload with the upload's number, counted from 1."""
    open_window(request.scope)
    uploads = await images_from(request, max_images=request.state.max_images)
    exchange = exchange_of(request.scope)
    exchange.images, exchange.pages, exchange.lines = len(uploads), 0, 0
    for number, upload in enumerate(uploads, 1):
        reading = place.pages(upload, detect=parameters.detect, ranges=parameters.pages)
        async with aclosing(reading) as pages:
            async for page in pages:
                exchange.pages += 1
                exchange.lines += len(page.lines)
                yield number, page
