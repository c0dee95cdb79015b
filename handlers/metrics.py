"""GET /metrics: numbers for Prometheus."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from handlers.description import described

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@described("handlers.openapi.own:metrics")
async def metrics(request: Request) -> Response:
    """Return the service's metrics in Prometheus's text format."""
    exposition: Callable[[], Awaitable[bytes]] = request.state.metrics
    return Response(await exposition(), media_type=MEDIA_TYPE)
