"""Ending what a request has begun in the storage, once, whichever way the request ends."""

from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from middleware.endings import Ending
from middleware.quota import Quota
from middleware.request_context import request_context


class AtEnd:
    """Ends something before the last part of a response is sent, or once the request has failed.

    Before, not after: a client that has the whole response may send its next request at once.
    `ending` is called once and may return None: nothing is to be ended.
    """

    def __init__(self, quota: Quota, ending: Callable[[], Ending | None]) -> None:
        self._quota = quota
        self._ending = ending
        self._ended = False

    def forget(self) -> None:
        """End nothing: it has not begun."""
        self._ended = True

    async def serve(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request."""

        async def send_ending(message: Message) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                await self._end(scope)
            await send(message)

        try:
            await app(scope, receive, send_ending)
        except Exception:
            await self._end(scope)
            raise
        finally:  # cancelled, as when the client has left: nothing may be waited for
            if (ending := self._take()) is not None:
                self._quota.endings.add(ending)

    async def _end(self, scope: Scope) -> None:
        if (ending := self._take()) is not None:
            await self._quota.end(request_context(scope), ending)

    def _take(self) -> Ending | None:
        if self._ended:
            return None
        self._ended = True
        return self._ending()
