"""A caller for plain ASGI apps: no server, no client library, nothing between test and app."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass
class Answer:
    """What an app sent."""

    status: int | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def all(self, name: str) -> list[str]:
        """Return every value of the header `name`."""
        return [value for key, value in self.headers if key == name]

    def __getitem__(self, name: str) -> str:
        (value,) = self.all(name)
        return value


def scope_of(
    method: str = "GET",
    path: str = "/",
    *,
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    scheme: str = "https",
    client: str | None = "192.0.2.1",
    query: bytes = b"",
    state: Mapping[str, Any] | None = None,
) -> Scope:
    """Return a request's scope as Hypercorn builds it."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "2",
        "method": method,
        "scheme": scheme,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "root_path": "",
        "headers": [(key.lower().encode(), value.encode("latin-1")) for key, value in pairs],
        "client": (client, 50000) if client else None,
        "server": ("127.0.0.1", 8443),
        "state": dict(state or {}),
        "extensions": {},
    }


async def call(app: ASGIApp, scope: Scope, *chunks: bytes, stalled: bool = False) -> Answer:
    """Send one request and return the answer; a `stalled` body never ends."""
    answer = Answer()
    waiting = [
        {"type": "http.request", "body": chunk, "more_body": stalled or number < len(chunks)}
        for number, chunk in enumerate(chunks or ([] if stalled else [b""]), 1)
    ]

    async def receive() -> Message:
        if not waiting:
            await asyncio.Event().wait()
        return waiting.pop(0)

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = [(key.decode(), value.decode()) for key, value in message["headers"]]
        else:
            answer.body += message.get("body", b"")

    await app(scope, receive, send)
    return answer


async def read_all(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the body, then answer 200 with its length."""
    length = 0
    message: Message = {"more_body": True}
    while message.get("more_body"):
        message = await receive()
        length += len(message.get("body", b""))
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(length).encode()})
    scope["state"]["read"] = length
