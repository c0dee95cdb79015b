"""A blocking HTTP/2 client over TLS, on one connection.

It can do what ordinary clients do not: leave a body unfinished, or send it without its length.
"""

import socket
import ssl
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

TIMEOUT_S = 60
RECEIVE_BYTES = 65536


class NotAnswered(Exception):
    """The server ended the stream or the connection without an answer."""


@dataclass(frozen=True)
class Request:
    """What is sent: `body`, and its end unless `unfinished`."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    unfinished: bool = False


class Connection:
    """A connection to localhost, to be closed."""

    def __init__(self, port: int, trust: ssl.SSLContext) -> None:
        self._port = port
        self._h2 = H2Connection(H2Configuration(client_side=True, header_encoding=None))
        self._status: dict[int, int] = {}
        self._over: set[int] = set()
        plain = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = trust.wrap_socket(plain, server_hostname="localhost")
        self._h2.initiate_connection()
        self._flush()

    def close(self) -> None:
        """Give it up, whatever is under way."""
        self._socket.close()

    def ask(self, request: Request, times: int = 1, at_once: int = 1) -> set[int]:
        """Send the request so many times, `at_once` under way together; return all statuses.

        Raises NotAnswered, and OSError where the connection is gone.
        """
        statuses, under_way = set(), set[int]()
        while times or under_way:
            begin = min(times, at_once - len(under_way))
            times -= begin
            under_way |= {self._send(request) for _ in range(begin)}
            self._flush()
            self._receive()
            for stream in under_way & self._over:
                if stream not in self._status:
                    raise NotAnswered(f"{request.method} {request.path}")
                statuses.add(self._status.pop(stream))
                if (
                    request.unfinished
                ):  # sent with the next request, as a client that reads while it sends does
                    self._h2.reset_stream(stream, ErrorCodes.CANCEL)
            under_way -= self._over
            self._over.clear()
        return statuses

    def begin(self, request: Request) -> None:
        """Send the request and wait for nothing."""
        self._send(request)
        self._flush()

    def _send(self, request: Request) -> int:
        """Write the request, as fast as its window lets it; return its stream."""
        stream = self._h2.get_next_available_stream_id()
        empty = not request.body and not request.unfinished
        self._h2.send_headers(stream, self._headers(request), end_stream=empty)
        rest = memoryview(request.body)
        while rest:
            room = self._h2.local_flow_control_window(stream)
            size = min(room, self._h2.max_outbound_frame_size, len(rest))
            if size:
                last = size == len(rest) and not request.unfinished
                self._h2.send_data(stream, bytes(rest[:size]), end_stream=last)
                rest = rest[size:]
            else:
                self._flush()
                self._receive()
        return stream

    def _headers(self, request: Request) -> list[tuple[str, str]]:
        return [
            (":method", request.method),
            (":scheme", "https"),
            (":authority", f"localhost:{self._port}"),
            (":path", request.path),
            ("user-agent", "bench"),
            ("accept", "*/*"),
            *request.headers.items(),
        ]

    def _receive(self) -> None:
        """Wait for something to come, and take it in."""
        data = self._socket.recv(RECEIVE_BYTES)
        if not data:
            raise NotAnswered("the connection has ended")
        for event in self._h2.receive_data(data):
            self._note(event)

    def _note(self, event: Event) -> None:
        if isinstance(event, ResponseReceived):
            self._status[event.stream_id] = int(dict(event.headers)[b":status"])
        elif isinstance(event, DataReceived):
            # Told with the next request: a frame of its own would wake the server for nothing.
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, StreamEnded | StreamReset):
            self._over.add(event.stream_id)
        elif isinstance(event, ConnectionTerminated):
            raise NotAnswered("the server closes the connection")

    def _flush(self) -> None:
        data = self._h2.data_to_send()
        if data:
            self._socket.sendall(data)


def trusting(ca: str) -> ssl.SSLContext:
    """Return a context that trusts the certificates of `ca` and speaks HTTP/2."""
    trust = ssl.create_default_context(cafile=ca)
    trust.set_alpn_protocols(["h2"])
    return trust
