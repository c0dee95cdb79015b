"""GET /openapi.json: the OpenAPI document of this service."""

from starlette.requests import Request
from starlette.responses import Response

from handlers.cached_response import cached_response
from handlers.description import described
from handlers.negotiation import preferred
from handlers.problems import LANGUAGES


@described("handlers.openapi.own:openapi")
async def openapi(request: Request) -> Response:
    """Return the document, in the client's language."""
    from handlers.openapi.document import serialised  # noqa: PLC0415 - few requests need it

    language = preferred(request.headers.get("accept-language"), LANGUAGES)
    found = serialised(request.app.state.interface, LANGUAGES.index(language))
    return cached_response(request, found, language=language)
