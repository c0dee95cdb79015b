"""Quick questions to a Hypercorn nobody has tested: is all that the fixes build on still there."""

import asyncio
import inspect
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any


class ProbeError(Exception):
    """A fix can't work with the Hypercorn installed; the message names the fix and the finding."""


CONNECTION = "app config context task_group connection_state ssl client server send"

NAMES: dict[str, dict[str, str]] = {
    "requests end with their client": {
        "hypercorn.asyncio.task_group:_handle": "app config scope receive send sync_spawn "
        "call_soon",
        "hypercorn.asyncio.task_group:TaskGroup.spawn_app": "self app config scope send",
        "hypercorn.protocol.http_stream:HTTPStream.__init__": "self app config context "
        "task_group ssl client server send stream_id",
        "hypercorn.protocol.http_stream:HTTPStream.handle": "self event",
        "hypercorn.protocol.http_stream:HTTPStream.app_send": "self message",
        "hypercorn.protocol.http_stream:ASGIHTTPState.CLOSED": "",
        "hypercorn.protocol.h2:HTTPStream": "",
        "hypercorn.protocol.h11:HTTPStream": "",
    },
    "http2 uploads": {
        "hypercorn.protocol:H2Protocol": "",
        "hypercorn.protocol.h2:H2Protocol.__init__": f"self {CONNECTION}",
        "hypercorn.protocol.h2:H2Protocol.initiate": "self headers settings",
        "hypercorn.protocol.h2:H2Protocol._handle_events": "self events",
        "hypercorn.protocol.h2:H2Protocol._create_stream": "self request",
        "hypercorn.protocol.h2:H2Protocol._close_stream": "self stream_id",
        "hypercorn.protocol.h2:H2Protocol._window_updated": "self stream_id",
        "hypercorn.protocol.h2:H2Protocol._send_data": "self stream_id",
        "hypercorn.protocol.h2:H2Protocol._flush": "self",
        "hypercorn.protocol.h2:H2Protocol.stream_send": "self event",
    },
    "http2 data is not described": {
        "hyperframe.frame:DataFrame._body_repr": "self",
    },
    "http1 early replies": {
        "hypercorn.protocol:H11Protocol": "",
        "hypercorn.protocol.h11:H11Protocol.__init__": f"self {CONNECTION}",
        "hypercorn.protocol.h11:H11Protocol.handle": "self event",
        "hypercorn.protocol.h11:H11Protocol.stream_send": "self event",
        "hypercorn.protocol.h11:H11Protocol._maybe_recycle": "self",
        "hypercorn.protocol.h11:H11Protocol._close_stream": "self",
        "hypercorn.protocol.h11:H11Protocol._check_protocol": "self event",
        "hypercorn.protocol.h11:H11Protocol._create_stream": "self request",
        "hypercorn.protocol.h11:H11Protocol._send_error_response": "self status_code",
    },
    "connection cap and bounded close": {
        "hypercorn.asyncio.run:TCPServer": "",
        "hypercorn.asyncio.tcp_server:TCPServer.__init__": "self app loop config context state "
        "reader writer",
        "hypercorn.asyncio.tcp_server:TCPServer.run": "self",
        "hypercorn.asyncio.tcp_server:TCPServer._close": "self",
        "hypercorn.asyncio.tcp_server:TCPServer._read_data": "self",
        "hypercorn.asyncio.tcp_server:TCPServer.protocol_send": "self event",
        "hypercorn.asyncio.tcp_server:TCPServer._initiate_server_close": "self",
    },
    "farewell at the end": {
        "hypercorn.asyncio.run:WorkerContext": "",
        "hypercorn.asyncio.worker_context:WorkerContext.__init__": "self max_requests",
        "hypercorn.asyncio.worker_context:EventWrapper.set": "self",
    },
    "tls context": {"hypercorn.config:Config.create_ssl_context": "self"},
    "tls alerts": {"asyncio.sslproto:SSLProtocol._fatal_error": "self exc message"},
    "tls memory": {"asyncio.sslproto:SSLProtocol.max_size": ""},
    "handshakes in turn": {
        "asyncio.sslproto:SSLProtocol.connection_made": "self transport",
        "asyncio.sslproto:SSLProtocol.connection_lost": "self exc",
        "asyncio.sslproto:SSLProtocol._do_handshake": "self",
    },
    "config check": {"hypercorn.asyncio.run:worker_serve": "app config sockets shutdown_trigger"},
}
"""For each fix, what it replaces or calls, with the parameters it relies on."""


def check_names(fix: str) -> None:
    """Check that all a fix builds on is there, with the parameters it had.

    Raises: ProbeError.
    """
    for place, parameters in NAMES[fix].items():
        module, _, path = place.partition(":")
        try:
            found: Any = import_module(module)
            for name in path.split("."):
                found = getattr(found, name)
        except (ImportError, AttributeError) as error:
            raise ProbeError(f"{fix}: {place} is gone") from error
        if parameters and parameters.split() != list(inspect.signature(found).parameters):
            raise ProbeError(f"{fix}: {place} takes other parameters now")


def check_behaviour() -> None:
    """Check in memory, with the fixes applied, that an early reply spares the connection.

    Raises: ProbeError.
    """
    # A thread of its own: the application may be imported inside a running loop.
    with ThreadPoolExecutor(max_workers=1) as pool:
        statuses = pool.submit(asyncio.run, _exchange()).result()
    if statuses != {1: b"401", 3: b"401"}:
        raise ProbeError(f"http2 uploads: an early reply spoils its connection: {statuses}")


async def _exchange() -> dict[int, bytes]:
    """Send body after the reply to its request, then another request; return the statuses."""
    import h2.config  # noqa: PLC0415 - an exchange few starts need
    import h2.connection  # noqa: PLC0415
    import h2.events  # noqa: PLC0415
    from hypercorn.app_wrappers import ASGIWrapper  # noqa: PLC0415
    from hypercorn.asyncio.task_group import TaskGroup  # noqa: PLC0415
    from hypercorn.asyncio.worker_context import WorkerContext  # noqa: PLC0415
    from hypercorn.config import Config  # noqa: PLC0415
    from hypercorn.events import Closed, RawData  # noqa: PLC0415

    async def refuse(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 401, "headers": []})
        await send({"type": "http.response.body", "body": b"no"})

    client = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding=None))
    client.initiate_connection()
    statuses: dict[int, bytes] = {}

    async def to_client(event: Any) -> None:
        for seen in client.receive_data(event.data) if isinstance(event, RawData) else ():
            if isinstance(seen, h2.events.ResponseReceived):
                statuses[seen.stream_id] = dict(seen.headers)[b":status"]

    async with TaskGroup(asyncio.get_running_loop()) as tasks:
        protocol: Any = import_module("hypercorn.protocol").H2Protocol
        server = protocol(
            ASGIWrapper(refuse),
            Config(),
            WorkerContext(None),
            tasks,
            {},
            True,  # noqa: FBT003 - Hypercorn's signature
            None,
            None,
            to_client,
        )
        await server.initiate()
        for stream_id in (1, 3):
            client.send_headers(stream_id, _REQUEST)
            await server.handle(RawData(client.data_to_send()))
            await asyncio.sleep(0.05)
            client.send_data(stream_id, b"late" * 1000)
            await server.handle(RawData(client.data_to_send()))
        await server.handle(Closed())
    return statuses


_REQUEST = [
    (b":method", b"POST"),
    (b":path", b"/"),
    (b":scheme", b"https"),
    (b":authority", b"localhost"),
]
