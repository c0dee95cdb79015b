"""GET /docs: the OpenAPI document as a page to read."""

from starlette.requests import Request
from starlette.responses import Response

from handlers.cached_response import cached_response
from handlers.description import described
from handlers.negotiation import preferred
from handlers.problems import LANGUAGES

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


@described("handlers.openapi.own:docs")
async def docs(request: Request) -> Response:
    """Return the page in the language of ?language= or else in the client's."""
    from handlers.docs_page.page import rendered  # noqa: PLC0415 - few requests need it

    chosen = request.query_params.get("language", "")
    accepted = preferred(request.headers.get("accept-language"), LANGUAGES)
    language = chosen if chosen in LANGUAGES else accepted
    found = rendered(request.app.state.interface, LANGUAGES.index(language))
    response = cached_response(request, found, language=language)
    response.headers["content-security-policy"] = POLICY
    return response
