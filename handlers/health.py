"""Whether the process is alive, and whether it could read."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from handlers.errors import NotReady

Check = Callable[[], Awaitable[bool]]


async def healthz(_request: Request) -> Response:
    """Answer at all: the process lives."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> Response:
    """Ask each of the service's checks.

    Raises:
        NotReady: one failed; the log says why, the answer only which.

    """
    checks: Mapping[str, Check] = request.state.checks
    failed = tuple([name for name, check in checks.items() if not await check()])
    if failed:
        raise NotReady(failed)
    warnings: Mapping[str, str] = request.state.warnings()
    document = {"status": "ready", "checks": dict.fromkeys(checks, "ok")}
    return JSONResponse({**document, "warnings": warnings} if warnings else document)
