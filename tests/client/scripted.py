"""An HTTP/2 server over TLS whose responses a test scripts: refusals, dropped connections."""

import asyncio
import json
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl, urlsplit

import h2.config
import h2.connection
import h2.errors
import h2.events

from tests.authorities import Authority


@dataclass
class Request:
    """A request with its whole body; `connection` is the number of its connection, from 1."""

    connection: int
    query: dict[str, str]
    headers: dict[str, str]
    body: bytearray = field(default_factory=bytearray)


@dataclass
class Answer:
    """A response. `ending`: "end", "reset" of its stream, or "drop" of the connection."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    ending: str = "end"


Script = Callable[[Request], Answer]


def refusal(status: int, code: str, retry_after: int | None = None, **members: object) -> Answer:
    """Return a problem document."""
    problem = {"title": code.title(), "detail": "Why.", "status": status, "code": code, **members}
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    return Answer(status, json.dumps(problem).encode(), headers)


class ScriptedServer:
    """Runs in a thread of its own within `with`. `requests` has those received."""

    def __init__(self, folder: Path, script: Script) -> None:
        authority = Authority("scripted")
        certificate, key = authority.issue("x", names=["localhost", "127.0.0.1"]).write(folder, "s")
        self.ca = folder / "scripted-ca.pem"
        self.ca.write_bytes(authority.pem)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(certificate, key)
        self._tls.set_alpn_protocols(["h2"])
        self.script = script
        self.requests: list[Request] = []
        self.connections = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        starting = asyncio.run_coroutine_threadsafe(self._start(), self._loop)
        self.url = f"https://localhost:{starting.result(20)}"
        return self

    async def _start(self) -> int:
        self._server = await self._loop.create_server(
            lambda: _Connection(self), "127.0.0.1", 0, ssl=self._tls
        )
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)
        self._loop.close()

    async def _stop(self) -> None:
        self._server.close()
        await asyncio.sleep(0.05)  # connections that end at this moment


class _Connection(asyncio.Protocol):
    """One connection."""

    def __init__(self, server: ScriptedServer) -> None:
        self._server = server
        self._h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        )
        self._streams: dict[int, Request] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the settings."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.connections += 1
        self._number = self._server.connections
        self._h2.initiate_connection()
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Take what has come; answer requests that are complete."""
        for event in self._h2.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                headers = {str(name): str(value) for name, value in event.headers}
                query = dict(parse_qsl(urlsplit(headers[":path"]).query))
                self._streams[event.stream_id] = Request(self._number, query, headers)
            elif isinstance(event, h2.events.DataReceived):
                self._streams[event.stream_id].body += event.data
                self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                self._answer(event.stream_id)
        self._flush()

    def _answer(self, stream: int) -> None:
        request = self._streams.pop(stream)
        self._server.requests.append(request)
        answer = self._server.script(request)
        headers = [(":status", str(answer.status)), *answer.headers.items()]
        self._h2.send_headers(stream, headers)
        self._h2.send_data(stream, answer.body, end_stream=answer.ending == "end")
        if answer.ending == "reset":
            self._h2.reset_stream(stream, h2.errors.ErrorCodes.INTERNAL_ERROR)
        self._flush()
        if answer.ending == "drop":
            self._transport.close()

    def _flush(self) -> None:
        self._transport.write(self._h2.data_to_send())
