"""The errors of functions in place of other services: each as the function itself makes it.

handlers.compat.failure gives such a handler its `error_response`.
"""

import json
from collections.abc import Callable, Coroutine, Iterable, Mapping
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from handlers.bodies.media_types import essence
from handlers.description import Text
from handlers.openapi.error_samples import values_of
from handlers.openapi.headers import references
from handlers.openapi.interface import FunctionFacts, Interface
from handlers.problem_table import PROBLEMS
from handlers.problems import LANGUAGES

Respond = Callable[[Request, Exception], Coroutine[Any, Any, Response]]


def foreign_responses(
    interface: Interface, function: FunctionFacts, raised: Iterable[type[Exception]]
) -> dict[str, Any]:
    """Return the responses to exceptions by status, with an example of each."""
    found: dict[str, Any] = {}
    for error in raised:
        english, chinese = (
            _response(function, error, values_of(error, interface, function), language)
            for language in LANGUAGES
        )
        phrase = HTTPStatus(english.status_code).phrase
        response = found.setdefault(
            str(english.status_code),
            {
                "description": Text(phrase, phrase),
                "headers": references(*_headers(english), interface=interface),
                "content": {},
            },
        )
        media_type = essence(english.headers["content-type"])
        content = response["content"].setdefault(media_type, {"schema": {}, "examples": {}})
        content["examples"][error.__name__] = {
            "summary": Text(*PROBLEMS[error].title),
            "value": _both(_body(english), _body(chinese)),
        }
    return found


def _response(
    function: FunctionFacts, error: type[Exception], values: Mapping[str, object], language: str
) -> Response:
    """Return what the function responds to an exception with these attributes."""
    exception = error.__new__(error)
    exception.__dict__.update(values)
    headers = [(b"accept-language", language.encode())]
    scope = {"type": "http", "method": "POST", "path": function.path, "headers": headers}
    respond: Respond = function.handler.error_response  # type: ignore[attr-defined]
    running = respond(Request(scope), exception)
    try:
        running.send(None)
    except StopIteration as done:
        response: Response = done.value
        return response
    running.close()
    raise TypeError(f"{function.path}: error_response waits for something")


def _headers(response: Response) -> list[str]:
    listed = ("Retry-After", "WWW-Authenticate", "Accept-Encoding", "Content-Language")
    return [name for name in listed if name in response.headers]


def _body(response: Response) -> Any:
    text = bytes(response.body).decode()
    try:
        return json.loads(text)
    except ValueError:
        return text


def _both(english: Any, chinese: Any) -> Any:
    """Return a tree in which each string that differs is a Text."""
    if isinstance(english, dict):
        return {key: _both(value, chinese[key]) for key, value in english.items()}
    if isinstance(english, list):
        return [_both(*each) for each in zip(english, chinese, strict=True)]
    differs = isinstance(english, str) and english != chinese
    return Text(english, chinese) if differs else english
