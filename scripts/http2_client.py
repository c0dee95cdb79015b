"""A blocking HTTP/2 client over TLS, for the self-check and the benches.

Built on h2 and the standard library, which the service needs anyway: a client library of its own
would be installed in production for one request. It can do what other clients do not: leave a body
unfinished, or send it without its length.
"""

import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass, field

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import ProtocolError

RECEIVE_BYTES = 65_536


class NoResponse(Exception):
    """The server ended the stream or the connection before its response was complete."""


@dataclass(frozen=True)
class Request:
    """A request: its body, and the end of the body unless it is `unfinished`."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    unfinished: bool = False


@dataclass(frozen=True)
class Response:
    """A response with its whole body."""

    status: int
    http_version: str
    body: bytes

    @property
    def text(self) -> str:
        """The body, decoded."""
        return self.body.decode(errors="replace")


@dataclass(frozen=True)
class Server:
    """Where to connect, the host that the certificate must be for, and the `:authority`."""

    address: tuple[str, int]
    host: str
    authority: str


class Connection:
    """An open connection to a server; close() or finish() it."""

    def __init__(self, server: Server, trust: ssl.SSLContext, timeout_s: float) -> None:
        self._authority = server.authority
        self._h2 = H2Connection(H2Configuration(client_side=True, header_encoding=None))
        self._status: dict[int, int] = {}
        self._bodies: dict[int, bytearray] = {}
        self._over: set[int] = set()
        trust.set_alpn_protocols(["h2"])
        plain = socket.create_connection(server.address, timeout_s)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket = trust.wrap_socket(plain, server_hostname=server.host)
        except BaseException:
            plain.close()
            raise
        if self._socket.selected_alpn_protocol() != "h2":
            self.close()
            raise NoResponse("the server does not speak HTTP/2")
        self._h2.initiate_connection()
        self._flush()

    def close(self) -> None:
        """Close the connection, whatever is in progress."""
        self._socket.close()

    def finish(self) -> None:
        """Send GOAWAY, wait until the server has closed the connection, and close it."""
        with suppress(OSError, ProtocolError):
            self._h2.close_connection()
            self._flush()
            while self._socket.recv(RECEIVE_BYTES):
                pass
        self.close()

    def send(self, request: Request) -> Response:
        """Send a request; return the response.

        Raises:
            NoResponse: the server ended the stream or the connection first.
            OSError: the connection failed.

        """
        stream = self._send(request)
        while stream not in self._over:
            self._flush()
            self._receive()
        self._over.discard(stream)
        return self._response(stream)

    def statuses(self, request: Request, times: int = 1, at_once: int = 1) -> set[int]:
        """Send the request so many times, `at_once` of them concurrently; return all statuses.

        Raises:
            NoResponse: the server ended a stream or the connection first.
            OSError: the connection failed.

        """
        statuses, in_progress = set(), set[int]()
        while times or in_progress:
            begin = min(times, at_once - len(in_progress))
            times -= begin
            in_progress |= {self._send(request) for _ in range(begin)}
            self._flush()
            self._receive()
            for stream in in_progress & self._over:
                statuses.add(self._response(stream).status)
                if request.unfinished:  # sent with the next request, as a client that reads while
                    self._h2.reset_stream(stream, ErrorCodes.CANCEL)  # it sends does
            in_progress -= self._over
            self._over.clear()
        return statuses

    def begin(self, request: Request) -> None:
        """Send the request; do not wait for its response."""
        self._send(request)
        self._flush()

    def _send(self, request: Request) -> int:
        """Write the request, as fast as its window allows; return its stream."""
        stream = self._h2.get_next_available_stream_id()
        empty = not request.body and not request.unfinished
        self._h2.send_headers(stream, self._headers(request), end_stream=empty)
        rest = memoryview(request.body)
        while rest and stream not in self._over:  # a refused upload is not sent to its end
            window = self._h2.local_flow_control_window(stream)
            size = min(window, self._h2.max_outbound_frame_size, len(rest))
            if size:
                last = size == len(rest) and not request.unfinished
                self._h2.send_data(stream, bytes(rest[:size]), end_stream=last)
                rest = rest[size:]
            else:
                self._flush()
                self._receive()
        if rest:
            with suppress(ProtocolError):  # the server has reset it already
                self._h2.reset_stream(stream, ErrorCodes.CANCEL)
        return stream

    def _headers(self, request: Request) -> list[tuple[str, str]]:
        return [
            (":method", request.method),
            (":scheme", "https"),
            (":authority", self._authority),
            (":path", request.path),
            ("user-agent", "sealed-ocr"),
            ("accept", "*/*"),
            *((name.lower(), value) for name, value in request.headers.items()),
        ]

    def _receive(self) -> None:
        """Wait for data from the server, and handle its events."""
        data = self._socket.recv(RECEIVE_BYTES)
        if not data:
            raise NoResponse("the server closed the connection")
        try:
            events = self._h2.receive_data(data)
        except ProtocolError as error:
            raise NoResponse(f"HTTP/2: {error}") from error
        for event in events:
            self._note(event)

    def _note(self, event: Event) -> None:
        match event:
            case ResponseReceived():
                self._status[event.stream_id] = int(dict(event.headers)[b":status"])
            case DataReceived():
                self._bodies.setdefault(event.stream_id, bytearray()).extend(event.data)
                # Acknowledged with the next request: a frame of its own would only wake the server.
                self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            case StreamEnded() | StreamReset():
                self._over.add(event.stream_id)
            case ConnectionTerminated():
                raise NoResponse(f"the server closes the connection: {event.error_code!r}")

    def _response(self, stream: int) -> Response:
        body = bytes(self._bodies.pop(stream, b""))
        if stream not in self._status:
            raise NoResponse("the server reset the stream")
        return Response(self._status.pop(stream), "HTTP/2", body)

    def _flush(self) -> None:
        data = self._h2.data_to_send()
        if data:
            self._socket.sendall(data)
