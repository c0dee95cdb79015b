"""POST /ocr: images and documents in, text out."""

from starlette.requests import Request
from starlette.responses import Response

from handlers.description import described
from handlers.page_response import PageResponse


@described("handlers.openapi.ocr:ocr")
async def recognize(request: Request) -> Response:
    """Return the text of the uploads in the body, in their order, page by page."""
    return PageResponse(request)
