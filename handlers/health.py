"""GET /healthz and /readyz: whether the process is alive, and whether it could read."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from handlers.description import described
from handlers.errors import NotReady

Check = Callable[[], Awaitable[bool]]


@described("handlers.openapi.own:healthz")
async def healthz(_request: Request) -> Response:
    """Return 200: the process is alive."""
    return JSONResponse({"status": "ok"})


@described("handlers.openapi.own:readyz")
async def readyz(request: Request) -> Response:
    """Return 200 with the warnings if all checks of the service pass.

    Raises:
        NotReady: a check failed. The response names it; the cause is in the log only.

    """
    checks: Mapping[str, Check] = request.state.checks
    failed = tuple([name for name, check in checks.items() if not await check()])
    if failed:
        raise NotReady(failed)
    warnings: Mapping[str, str] = request.state.warnings()
    document = {"status": "ready", "checks": dict.fromkeys(checks, "ok")}
    return JSONResponse({**document, "warnings": warnings} if warnings else document)
