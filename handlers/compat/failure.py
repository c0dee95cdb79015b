"""The errors of a function in the form that clients of another service expect."""

import contextlib
import functools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from handlers.errors import RequestError
from handlers.problems import LANGUAGES, problem_document, problem_headers
from middleware.errors import MiddlewareError
from middleware.request_context import open_receive_window
from model.errors import Busy

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Failure:
    """A request that failed: the exception, and status, code and detail of its problem."""

    request: Request
    cause: Exception
    status: int
    code: str
    detail: str

    @property
    def by_service(self) -> bool:
        """Whether the service refused or ended it: by key, limits, length, time, or a full queue.

        Its HTTP status is then the usual one, whatever the other service does: proxies and clients
        act on it, and the body may not have been received.
        """
        return isinstance(self.cause, MiddlewareError | Busy)


Form = Callable[[Failure], Response]


def failing_as(
    form: Form, *, languages: Sequence[str] = LANGUAGES, with_success: bool = False
) -> Callable[[Handler], Handler]:
    """Let a function's errors have this form, those of the middleware before it included.

    The detail is in the first of `languages` unless Accept-Language prefers another. With
    `with_success` errors have the status 200, so the whole body is received before they are sent.
    service.routes puts `error_response` around the middleware of the function.
    """

    async def error_response(request: Request, cause: Exception) -> Response:
        problem = problem_document(request, cause, languages)
        failure = Failure(request, cause, problem["status"], problem["code"], problem["detail"])
        response = form(failure)
        response.headers.update(problem_headers(cause))
        return response

    def decorated(handler: Handler) -> Handler:
        called = _receiving_all(handler) if with_success else handler
        called.error_response = error_response  # type: ignore[attr-defined]
        return called

    return decorated


async def receive_rest(request: Request) -> None:
    """Receive what is left of the body, and keep nothing of it.

    curl stops sending after an error's status, but after 200 it goes on, and waits for ever if
    nobody receives.
    """
    open_receive_window(request.scope)
    with contextlib.suppress(RuntimeError):  # Starlette's, if the body has been received
        async for _ in request.stream():
            pass


def _receiving_all(handler: Handler) -> Handler:
    @functools.wraps(handler)
    async def called(request: Request) -> Response:
        try:
            return await handler(request)
        except RequestError:
            await receive_rest(request)
            raise

    return called
