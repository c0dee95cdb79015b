"""The data of one request that middleware, functions and the log share."""

import secrets
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

Scope = MutableMapping[str, Any]
ChargePages = Callable[[int], Awaitable[None]]


async def free_of_charge(_pages: int) -> None:
    """Charge nothing: the caller has no quota of pages."""


@dataclass(slots=True)
class RequestContext:
    """One request: the fields of its log line, its deadline, and headers of its response.

    It never holds content: no text, no file name, no key.
    """

    request_id: str = field(default_factory=lambda: secrets.token_hex(8))
    function: str | None = None
    key_id: str | None = None  # also of a request that is refused: then it is only claimed
    key_name: str | None = None
    previous_key: bool = False  # the key that was sent is the one before a rotation
    received_bytes: int = 0
    expected_bytes: int = 0
    deadline: float | None = None  # on the event loop's clock
    images: int | None = None
    pages: int | None = None
    lines: int | None = None
    next_pages: str | None = None  # the value of ?pages= for the pages that have not been read
    problem: str | None = None
    denial_reason: str | None = None  # for the log only: the client gets the same 401 for each
    traceback: list[str] | None = None
    response_headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    storage_waited_s: float = 0.0  # for the storage of the limits
    storage_failed: bool = False
    must_be_counted: bool = True  # if the storage fails and the policy is to deny: refused
    charge_pages: ChargePages = free_of_charge  # called with the pages of each upload to be read
    record_documents: Callable[[Sequence[bytes]], Awaitable[None]] | None = None
    recorded: bool = False  # in the audit trail, before anything was read

    async def before_reading(self, documents: Sequence[bytes]) -> None:
        """Record in the audit trail, if there is one, which documents will now be read.

        Raises:
            AuditUnavailable: they could not be recorded, and the policy is to deny.

        """
        if self.record_documents is not None:
            await self.record_documents(documents)

    def start_reading(self, images: int) -> None:
        """Record how many images the request has, none of whose pages has been read yet."""
        self.images, self.pages, self.lines = images, 0, 0

    def count_page(self, lines: int) -> None:
        """Record that one more page, with this number of lines, has been read."""
        self.pages = (self.pages or 0) + 1
        self.lines = (self.lines or 0) + lines


def request_context(scope: Scope) -> RequestContext:
    """Return the request's RequestContext; the first call creates it."""
    state = scope.setdefault("state", {})
    if "context" not in state:  # not setdefault(): it would draw random bytes on every call
        state["context"] = RequestContext()
    return cast(RequestContext, state["context"])


def open_receive_window(scope: Scope) -> None:
    """Grow the stream's receive window to the whole body; called by a function that has a slot.

    Until then an HTTP/2 client can send only the initial window, which bounds the memory of
    requests without a slot. HTTP/1.1 has no receive window.
    """
    window = scope.get("extensions", {}).get("sealed.receive_window")
    if window is not None:
        window["grow"](request_context(scope).expected_bytes)


def address_of(scope: Scope) -> str:
    """Return the peer's address; "local" for a Unix socket, which has none."""
    client = scope.get("client")
    return client[0] if client else "local"


def caller_name(scope: Scope) -> str:
    """Return the name of the request's key, or the peer's address where there is no key."""
    return request_context(scope).key_name or address_of(scope)
