"""Which errors a function can respond with, and how the document shows them."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from itertools import groupby
from typing import Any

from starlette.requests import ClientDisconnect

from handlers.description import Text
from handlers.openapi.error_samples import sample
from handlers.openapi.foreign_errors import foreign_responses
from handlers.openapi.headers import references
from handlers.openapi.interface import FunctionFacts, Interface
from handlers.problem_table import PROBLEMS, REJECTED, ROUTING, Problem
from middleware import errors as middleware_errors

Entry = tuple[str, type[Exception], Problem]
MEDIA_TYPE = "application/problem+json"
NEVER_SENT = frozenset({PROBLEMS[ClientDisconnect].code})
"""Only ever in the log."""
OF_EVERY_REQUEST: tuple[type[Exception], ...] = (
    middleware_errors.MalformedHttp,
    middleware_errors.HeadersTooLarge,
    middleware_errors.TransferCodingUnknown,
)
OF_EVERY_FUNCTION: tuple[type[Exception], ...] = (
    middleware_errors.RateLimited,
    middleware_errors.LimitStorageFailed,
    middleware_errors.BodyTooLarge,
    middleware_errors.BodyTooSlow,
    middleware_errors.DeadlineExceeded,
    Exception,
)
OF_A_KEY = (
    middleware_errors.NotAuthenticated,
    middleware_errors.ScopeMissing,
    middleware_errors.FunctionNotAllowed,
    middleware_errors.TooManyConcurrentRequests,
    middleware_errors.AuditUnavailable,
)
OF_A_PROXY = (middleware_errors.MalformedForwarding,)
OUTSIDE: Mapping[str, Problem] = {
    "NotFound": ROUTING[404],
    "MethodNotAllowed": ROUTING[405],
    "PlainHttpRefused": PROBLEMS[middleware_errors.PlainHttpRefused],
    "WebSocketRefused": PROBLEMS[middleware_errors.WebSocketRefused],
    "RequestRejected": REJECTED,
}
"""Responses to requests that reach no function, and to a function's HTTPException."""
_HEADERS: Mapping[int, tuple[str, ...]] = {
    401: ("WWW-Authenticate",),
    405: ("Allow",),
    415: ("Accept-Encoding",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}


def codes() -> list[str]:
    """Return every code that a response can have, sorted."""
    problems = [*PROBLEMS.values(), *OUTSIDE.values()]
    return sorted({problem.code for problem in problems} - NEVER_SENT)


def error_responses(
    interface: Interface, function: FunctionFacts, raised: Iterable[type[Exception]]
) -> dict[str, Any]:
    """Return the error responses of a function by status: its own and the middleware's."""
    outer = (*OF_EVERY_REQUEST, *(OF_A_PROXY if interface.proxied else ()))
    inner = (*OF_EVERY_FUNCTION, *(() if function.public else OF_A_KEY), *raised)
    if not hasattr(function.handler, "error_response"):
        return _problems(interface, function, dict.fromkeys((*outer, *inner)))
    responses = _problems(interface, function, outer)
    for status, response in foreign_responses(interface, function, dict.fromkeys(inner)).items():
        if status in responses:
            response["content"] |= responses[status]["content"]
        responses[status] = response
    return responses


def _problems(
    interface: Interface, function: FunctionFacts, errors: Iterable[type[Exception]]
) -> dict[str, Any]:
    """Return the problem documents of these exceptions by status."""
    found = [(error.__name__, error, PROBLEMS[error]) for error in errors]
    if "{" in function.path:
        found.append(("NotFound", Exception, OUTSIDE["NotFound"]))
    found.sort(key=lambda each: (each[2].status, each[2].code))
    return {
        str(status): _response(interface, function, list(group))
        for status, group in groupby(found, key=lambda each: each[2].status)
    }


def outside_responses(interface: Interface, function: FunctionFacts) -> dict[str, Any]:
    """Return the responses to requests that no operation of the document stands for."""
    return {
        name: _response(interface, function, [(name, Exception, problem)])
        for name, problem in OUTSIDE.items()
    }


def _response(interface: Interface, function: FunctionFacts, found: list[Entry]) -> dict[str, Any]:
    """Return the response object of one status, with an example of each of its errors."""
    status = found[0][2].status
    codes_of_status = list(dict.fromkeys(problem.code for _, _, problem in found))
    listed = ", ".join(f"`{code}`" for code in codes_of_status)
    phrase = HTTPStatus(status).phrase
    return {
        "description": Text(f"{phrase}: {listed}", f"{phrase}：{listed}"),
        "headers": references("Content-Language", *_HEADERS.get(status, ()), interface=interface),
        "content": {
            MEDIA_TYPE: {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "x-codes": codes_of_status,
                "examples": {
                    name: {
                        "summary": Text(*problem.title),
                        "value": sample(error, problem, interface, function),
                    }
                    for name, error, problem in found
                },
            }
        },
    }
