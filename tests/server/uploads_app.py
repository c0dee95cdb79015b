"""An application that behaves badly on demand; run by Hypercorn, stock or hardened, in tests."""

import asyncio
import json
import os
import sys
import time
from typing import Any

from hypercorn.config import Config

OPTIONS: dict[str, Any] = json.loads(os.environ.get("HARDENED", "null")) or {}
COUNTED = {"max_connections_per_address", "new_connections_per_s"}
REFUSE_CONFIG = OPTIONS.pop("refuse_config", None)
CRASH_IMPORT = OPTIONS.pop("crash_import", None)
REFUSE_IMPORT = OPTIONS.pop("refuse_import", None)
transport: Any = None


def report(**facts: Any) -> None:
    """Write an event, as the service does to its log."""
    sys.stderr.write(json.dumps(facts) + "\n")


def prepare_config(config: Config) -> None:
    """Refuse the start if the test wants it, with a value of Hypercorn's Config."""
    if REFUSE_CONFIG:
        raise SystemExit(f"{REFUSE_CONFIG}: {config.bind[0]}")


if "HARDENED" in os.environ:
    from server import respawn

    respawn.BACKOFF_S = OPTIONS.pop("backoff_s", respawn.BACKOFF_S)
    respawn.supervise(report, hear=bytes)

    from server.install import ServerOptions, install, refuse_start

    transport = install(
        ServerOptions(
            prepare_config=prepare_config,
            report=report,
            subnet_of=(lambda address: address) if COUNTED & OPTIONS.keys() else lambda _: None,
            **OPTIONS,
        )
    )
    if REFUSE_IMPORT:
        refuse_start(REFUSE_IMPORT)
elif REFUSE_IMPORT or REFUSE_CONFIG or os.environ.get("STOCK_REFUSES"):
    raise SystemExit(os.environ.get("STOCK_REFUSES"))

if CRASH_IMPORT:
    raise RuntimeError(CRASH_IMPORT)

REFUSALS = {
    "malformed_http": 400,
    "headers_too_large": 431,
    "not_implemented": 501,
    "websocket_refused": 403,
    "https_required": 400,
}
counts = {"running": 0, "started": 0, "cancelled": 0, "disconnected": 0}


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Respond by path, and count what runs."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    if refusal := scope["extensions"].get("sealed.refusal"):
        await reply(send, REFUSALS[refusal], refusal.encode())
        return
    if scope["path"] == "/stats":
        await reply(send, 200, json.dumps(counts | facts(scope)).encode())
        return
    counts["running"] += 1
    counts["started"] += 1
    try:
        await PATHS[scope["path"]](scope, receive, send)
    except asyncio.CancelledError:
        counts["cancelled"] += 1
        raise
    finally:
        counts["running"] -= 1


def facts(scope: Any) -> dict[str, Any]:
    """Return what the server tells the application."""
    return {
        "tls": scope["state"].get("tls"),
        "connections": transport and transport.connections,
        "refused": transport and transport.closures["full"] + transport.closures["address_limit"],
        "refused_requests": transport and transport.refused_requests,
        "tasks": len(asyncio.all_tasks()),
        "pid": os.getpid(),
    }


async def lifespan(receive: Any, send: Any) -> None:
    """Complete startup and shutdown at once."""
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def reply(send: Any, status: int, body: bytes) -> None:
    """Send a whole response."""
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def read(receive: Any) -> int:
    """Read the body and return its length; -1 if the client disconnected."""
    length = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            counts["disconnected"] += 1
            return -1
        length += len(message["body"])
        if not message["more_body"]:
            return length


async def refuse(_scope: Any, _receive: Any, send: Any) -> None:
    """Respond without reading the body."""
    await reply(send, 401, b"refused")


async def count(_scope: Any, receive: Any, send: Any) -> None:
    """Respond with the body's length."""
    await reply(send, 200, str(await read(receive)).encode())


async def grow(scope: Any, receive: Any, send: Any) -> None:
    """Grow the window to the query's size, then respond with the body's length."""
    extension = scope["extensions"].get("sealed.receive_window")
    if extension:
        extension["grow"](int(scope["query_string"]))
    await reply(send, 200, str(await read(receive)).encode())


async def unread(_scope: Any, receive: Any, send: Any) -> None:
    """Read nothing for a long time, as a request in a queue does."""
    await asyncio.sleep(600)
    await count(_scope, receive, send)


async def late(scope: Any, receive: Any, send: Any) -> None:
    """Respond after the seconds in the query."""
    await asyncio.sleep(float(scope["query_string"]))
    await count(scope, receive, send)


async def busy(_scope: Any, _receive: Any, send: Any) -> None:
    """Block the event loop for a moment, then respond."""
    time.sleep(0.003)  # noqa: ASYNC251 - as work does that nothing else can be done beside
    await reply(send, 200, b"done")


async def endless(_scope: Any, _receive: Any, send: Any) -> None:
    """Send without end."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        await send({"type": "http.response.body", "body": bytes(16384), "more_body": True})


async def half(_scope: Any, _receive: Any, send: Any) -> None:
    """Send half a response and return."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"half", "more_body": True})


async def renew(_scope: Any, _receive: Any, send: Any) -> None:
    """Give new connections a new TLS context; 500 if it cannot be made."""
    try:
        if transport:
            transport.renew_context()
    except OSError:
        await reply(send, 500, b"not renewed")
    else:
        await reply(send, 200, b"renewed")


PATHS = {
    "/renew": renew,
    "/refuse": refuse,
    "/count": count,
    "/grow": grow,
    "/unread": unread,
    "/late": late,
    "/busy": busy,
    "/endless": endless,
    "/half": half,
}
