"""Responses to exceptions, as RFC 9457 problem documents."""

import traceback
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from handlers.bodies.other_formats import DECLARED_FORMATS, OTHER_FORMATS
from handlers.errors import LoggedError, UnsupportedBody, UnsupportedEncoding
from handlers.negotiation import preferred
from handlers.problem_table import PROBLEMS, REJECTED, ROUTING, Problem
from middleware.errors import NotAuthenticated
from middleware.request_context import RequestContext, request_context
from model.errors import NoSuchPage, TooManyPages, UnsupportedImageType

LANGUAGES = ("en", "zh")
HTTP_SERVER_ERRORS = 500
TIMEOUT = 504


async def respond(request: Request, exception: Exception) -> Response:
    """Return the problem response for `exception`, in the client's language.

    It is a coroutine function only because Starlette runs any other in a thread, which would add a
    fifth to the cost of an error response.
    """
    document = problem_document(request, exception)
    return JSONResponse(
        document,
        document["status"],
        headers={**problem_headers(exception), "content-language": _language(request)},
        media_type="application/problem+json",
    )


def problem_document(
    request: Request, exception: Exception, languages: Sequence[str] = LANGUAGES
) -> dict[str, Any]:
    """Return the problem document of `exception`, and record the problem for the log.

    It is in the first of `languages` unless the client prefers another.
    """
    problem = problem_of(exception)
    language = LANGUAGES.index(_language(request, languages))
    context = request_context(request.scope)
    context.problem = problem.code
    if problem is PROBLEMS[Exception]:
        context.traceback = _traceback(exception)
    document = described(exception, LANGUAGES[language]) | {"request_id": context.request_id}
    image = getattr(exception, "image", None)
    if image is not None:
        document["image"] = image
    if problem.status == TIMEOUT and context.pages is not None:
        document |= progress(context)
    return document


def described(exception: Exception, language: str) -> dict[str, Any]:
    """Return the members of a problem document that depend on its exception alone."""
    problem, number = problem_of(exception), LANGUAGES.index(language)
    document = {
        "type": f"urn:problem-type:sealed-ocr:{problem.code}",
        "title": problem.title[number],
        "status": problem.status,
        "detail": _detail(problem, exception, number),
        "code": problem.code,
    }
    if isinstance(exception, NoSuchPage | TooManyPages):
        document["document_pages"] = exception.pages
    if isinstance(exception, TooManyPages):
        document["max_pages"] = exception.limit
    return document


def progress(context: RequestContext) -> dict[str, Any]:
    """Return how many pages were read, and the value of ?pages= for the others, if known."""
    if context.next_pages is None:
        return {"pages_read": context.pages}
    return {"pages_read": context.pages, "next_pages": context.next_pages}


def _detail(problem: Problem, exception: Exception, language: int) -> str:
    """Return the detail of a problem; of a file in another format, what to do with it."""
    if isinstance(exception, UnsupportedImageType) and exception.found is not None:
        return OTHER_FORMATS[exception.found][language]
    if isinstance(exception, UnsupportedBody) and exception.declared is not None:
        return DECLARED_FORMATS[exception.declared][language]
    return problem.detail[language].format_map(_Attributes(exception))


def _language(request: Request, languages: Sequence[str] = LANGUAGES) -> str:
    return preferred(request.headers.get("accept-language"), languages)


def problem_of(exception: Exception) -> Problem:
    """Return the table's entry for the exception's class, or its nearest base class."""
    if isinstance(exception, HTTPException) and exception.status_code < HTTP_SERVER_ERRORS:
        # A function's own HTTPException keeps its status, not its text: that may hold content.
        return ROUTING.get(exception.status_code) or replace(REJECTED, status=exception.status_code)
    return next(PROBLEMS[cls] for cls in type(exception).__mro__ if cls in PROBLEMS)


def _traceback(exception: Exception) -> list[str]:
    """Return the exception's type and frames, without its message, which may hold content.

    A LoggedError's holds none.
    """
    frames = traceback.extract_tb(exception.__traceback__)
    lines = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    name = type(exception).__qualname__
    return [f"{name}: {exception}" if isinstance(exception, LoggedError) else name, *lines]


def problem_headers(exception: Exception) -> dict[str, str]:
    """Return the headers of the response to `exception`: when to try again, how to authenticate."""
    if isinstance(exception, HTTPException):
        return dict(exception.headers or {})
    if isinstance(exception, NotAuthenticated):
        return {"www-authenticate": 'Bearer realm="sealed-ocr"'}  # RFC 9110, section 11.6.1
    if isinstance(exception, UnsupportedEncoding):
        return {"accept-encoding": "identity"}  # RFC 9110, section 12.5.3
    retry_after_s = getattr(exception, "retry_after_s", None)
    if retry_after_s is not None:
        return {"retry-after": str(retry_after_s)}
    return {}


class _Attributes(dict[str, Any]):
    """Looks up the names of a detail as attributes of the exception."""

    def __init__(self, exception: Exception) -> None:
        super().__init__()
        self.exception = exception

    def __missing__(self, name: str) -> object:
        return getattr(self.exception, name)
