"""Find the handler a `[[functions]]` entry names, and refuse one that could not be called."""

import importlib
import inspect
from collections.abc import Awaitable, Callable
from typing import cast

from starlette.requests import Request
from starlette.responses import Response

Handler = Callable[[Request], Awaitable[Response]]


class HandlerError(Exception):
    """A `[[functions]]` entry names a handler that is not there or cannot be called."""


def load_handler(path: str, name: str) -> Handler:
    """Import `name` ("module:function") for the function at `path`.

    Handlers are light, so they are imported at start, where a mistake stops the service; what is
    heavy, the model, they reach through the request.

    Raises:
        HandlerError: no such module or function, or not `async def function(request)`.

    """
    where = f"[[functions]] {path} handler = {name!r}"
    module_name, _, function_name = name.partition(":")
    try:
        module = importlib.import_module(module_name)
    except (ImportError, SyntaxError) as error:
        raise HandlerError(f"{where}: {module_name} cannot be imported: {error}") from error
    handler = getattr(module, function_name, None)
    if handler is None:
        raise HandlerError(f"{where}: {module_name} has no {function_name}")
    if not inspect.iscoroutinefunction(handler):
        raise HandlerError(f"{where}: must be async def {function_name}(request)")
    try:
        inspect.signature(handler).bind(object())
    except TypeError as error:
        raise HandlerError(f"{where}: must take the request and nothing else: {error}") from error
    return cast("Handler", handler)
