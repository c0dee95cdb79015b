"""Answers to exceptions, as RFC 9457 problem documents."""

import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from handlers.negotiation import preferred
from handlers.problem_table import PROBLEMS, REFUSED, ROUTING, Problem
from middleware.errors import NotAuthenticated
from middleware.request_context import request_context

LANGUAGES = ("en", "zh")
HTTP_SERVER_ERRORS = 500


async def respond(request: Request, exception: Exception) -> Response:
    """Return the problem document for `exception`, in the caller's language.

    Awaits nothing, but Starlette gives what is no coroutine a thread, a fifth of a refusal's cost.
    """
    document = problem_document(request, exception)
    return JSONResponse(
        document,
        document["status"],
        headers={**_headers(exception), "content-language": _language(request)},
        media_type="application/problem+json",
    )


def problem_document(request: Request, exception: Exception) -> dict[str, Any]:
    """Return what is told of `exception`, and note for the log what happened."""
    problem = problem_of(exception)
    language = LANGUAGES.index(_language(request))
    context = request_context(request.scope)
    context.problem = problem.code
    if problem is PROBLEMS[Exception]:
        context.traceback = _fault(exception)
    return {
        "type": f"urn:problem-type:sealed-ocr:{problem.code}",
        "title": problem.title[language],
        "status": problem.status,
        "detail": problem.detail[language].format_map(_Attributes(exception)),
        "code": problem.code,
        "request_id": context.request_id,
    }


def _language(request: Request) -> str:
    return preferred(request.headers.get("accept-language"), LANGUAGES)


def problem_of(exception: Exception) -> Problem:
    """Return the table's entry for the nearest class of `exception`."""
    if isinstance(exception, HTTPException) and exception.status_code < HTTP_SERVER_ERRORS:
        # A function's own refusal keeps its status, and its words stay out: they may be a caller's.
        return ROUTING.get(exception.status_code) or replace(REFUSED, status=exception.status_code)
    return next(PROBLEMS[cls] for cls in type(exception).__mro__ if cls in PROBLEMS)


def _fault(exception: Exception) -> list[str]:
    """Return what failed and where; not its message, which may hold what a caller sent."""
    frames = traceback.extract_tb(exception.__traceback__)
    places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    return [type(exception).__qualname__, *places]


def _headers(exception: Exception) -> dict[str, str]:
    if isinstance(exception, HTTPException):
        return dict(exception.headers or {})
    if isinstance(exception, NotAuthenticated):
        return {"www-authenticate": 'Bearer realm="sealed-ocr"'}  # RFC 9110, section 11.6.1
    retry_after_s = getattr(exception, "retry_after_s", None)
    if retry_after_s is not None:
        return {"retry-after": str(retry_after_s)}
    return {}


class _Attributes(dict[str, Any]):
    """Looks a detail's names up in the exception."""

    def __init__(self, exception: Exception) -> None:
        super().__init__()
        self.exception = exception

    def __missing__(self, name: str) -> object:
        return getattr(self.exception, name)
