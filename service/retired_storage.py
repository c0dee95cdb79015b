"""Closing a storage of counts that a reload has replaced, once no request uses it any more."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from starlette.types import ASGIApp, Receive, Scope, Send

from middleware.endings import PATIENCE_S
from middleware.quota import Quota


class Users:
    """The requests of all apps that count in one storage."""

    def __init__(self) -> None:
        self._number = 0
        self._none = asyncio.Event()
        self._none.set()

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Count a request for the time of the block."""
        self._number += 1
        self._none.clear()
        try:
            yield
        finally:
            self._number -= 1
            if not self._number:
                self._none.set()

    async def wait_for_none(self) -> None:
        """Wait until there is no such request."""
        await self._none.wait()


class UsingApp:
    """An app whose requests are counted as users of its storage."""

    def __init__(self, app: ASGIApp, users: Users) -> None:
        self._app = app
        self._users = users

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._users.one_more():
            await self._app(scope, receive, send)


class RetiredStorages:
    """The storages that are no longer in force, each until it is closed."""

    def __init__(self) -> None:
        self._closing: dict[asyncio.Task[None], Quota] = {}

    def add(self, quota: Quota, users: Users, *, within_s: float) -> None:
        """Close a storage when its last request has ended, or after so long."""
        task = asyncio.get_running_loop().create_task(_close(quota, users, within_s))
        self._closing[task] = quota
        task.add_done_callback(lambda done: self._closing.pop(done, None))

    async def aclose(self) -> None:
        """Close all of them now: the service ends."""
        for task, quota in [*self._closing.items()]:
            task.cancel()
            await asyncio.wait([task])
            await quota.aclose()


async def _close(quota: Quota, users: Users, within_s: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await users.wait_for_none()
    await quota.endings.aclose(PATIENCE_S)  # others may count in it on
    await quota.storage.aclose()
