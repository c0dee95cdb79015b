"""HTTP/2 to nginx, frame by frame: what no library would send."""

import contextlib
import socket
from dataclasses import dataclass, field
from typing import Self

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from tests.deploy.nginx import Front
from tests.deploy.nginx_shapes import INNER
from tests.system.service import PATIENCE_S

NOT_GROWN = 65_536
"""What nginx begins with."""

Headers = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Answer:
    """What came on a stream: no status if it was reset, or the connection was."""

    status: int | None = None
    body: bytes = b""
    over: bool = False


@dataclass(slots=True)
class Shape:
    """A request: headers that replace or add to those of an honest POST, and its body."""

    headers: dict[bytes, bytes] = field(default_factory=dict)
    body: bytes = b""


class Connection:
    """A TLS connection with HTTP/2 on it, which checks nothing that it sends."""

    def __init__(self, front: Front) -> None:
        trust = front.nginx.authority.trust()
        trust.set_alpn_protocols(["h2"])
        bare = socket.create_connection(("127.0.0.1", front.nginx.port), PATIENCE_S)
        self._socket = trust.wrap_socket(bare, server_hostname="localhost")
        self._h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(
                header_encoding=None,
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        self._h2.initiate_connection()
        self.open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, headers: Headers, body: bytes = b"") -> Answer:
        """Make a request and wait for its answer, or for the stream's end."""
        stream = self._h2.get_next_available_stream_id()
        answer = Answer()
        try:
            self._h2.send_headers(stream, headers, end_stream=not body)
            if body:
                self._h2.send_data(stream, body, end_stream=True)
            while self.open and not answer.over:
                self._socket.sendall(self._h2.data_to_send())
                data = self._socket.recv(65536)
                self.open = bool(data)
                for event in self._h2.receive_data(data):
                    self._take(event, stream, answer)
        except OSError:
            self.open = False
        return answer

    def room(self, headers: Headers) -> int:
        """Open an upload; return how much of it may be sent ahead, once that has grown."""
        stream = self._h2.get_next_available_stream_id()
        self._h2.send_headers(stream, headers)
        while (room := self._h2.local_flow_control_window(stream)) <= NOT_GROWN:
            self._socket.sendall(self._h2.data_to_send())
            self._h2.receive_data(self._socket.recv(65536))
        return room

    def _take(self, event: h2.events.Event, stream: int, answer: Answer) -> None:
        if isinstance(event, h2.events.ConnectionTerminated):
            self.open = False
        if getattr(event, "stream_id", None) != stream:
            return
        if isinstance(event, h2.events.ResponseReceived):
            answer.status = int(dict(event.headers)[b":status"])
        elif isinstance(event, h2.events.DataReceived):
            answer.body += event.data
            with contextlib.suppress(h2.exceptions.ProtocolError):
                self._h2.acknowledge_received_data(event.flow_controlled_length, stream)
        elif isinstance(event, h2.events.StreamEnded | h2.events.StreamReset):
            answer.over = True


def headers_of(shape: Shape) -> Headers:
    """Return what is sent: an honest POST's headers, with the shape's own."""
    honest = {
        b":method": b"POST",
        b":scheme": b"https",
        b":authority": b"localhost",
        b":path": b"/guarded",
    }
    return list({**honest, **shape.headers}.items())


INJECTED = b"x\r\n\r\n" + INNER.encode()

SHAPES = {
    "a length too short": Shape({b"content-length": b"0"}, INNER.encode()),
    "a length too long": Shape({b"content-length": b"9999"}, INNER.encode()),
    "a length that is none": Shape({b"content-length": b"+5"}, b"12345"),
    "transfer-encoding": Shape({b"transfer-encoding": b"chunked"}, b"0\r\n\r\n" + INNER.encode()),
    "both": Shape(
        {b"content-length": b"0", b"transfer-encoding": b"chunked"}, b"0\r\n\r\n" + INNER.encode()
    ),
    "connection": Shape({b"connection": b"content-length", b"content-length": b"3"}, b"123"),
    "a request in a value": Shape({b"x-a": INJECTED}),
    "a bare LF in a value": Shape({b"x-a": b"b\ntransfer-encoding: chunked"}, INNER.encode()),
    "a bare CR in a value": Shape({b"x-a": b"b\rtransfer-encoding: chunked"}, INNER.encode()),
    "NUL in a value": Shape({b"x-a": b"b\0c"}),
    "a header in a name": Shape({b"transfer-encoding: chunked\r\nx-a": b"b"}, INNER.encode()),
    "a colon in a name": Shape({b"transfer-encoding:": b"chunked"}, INNER.encode()),
    "a space in a name": Shape({b"transfer-encoding ": b"chunked"}, INNER.encode()),
    "capitals in a name": Shape({b"Transfer-Encoding": b"chunked"}, INNER.encode()),
    "an underscore in a name": Shape({b"transfer_encoding": b"chunked"}, INNER.encode()),
    "a request in the method": Shape(
        {b":method": b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\nPOST"}
    ),
    "a request in the path": Shape({b":path": b"/guarded HTTP/1.1\r\n\r\n" + INNER.encode()}),
    "a space in the path": Shape({b":path": b"/smuggled HTTP/1.1"}),
    "a request in the host": Shape({b":authority": b"localhost\r\n\r\n" + INNER.encode()}),
    "a request in the scheme": Shape({b":scheme": b"https://x\r\n\r\n" + INNER.encode()}),
    "two hosts": Shape({b"host": b"evil.example"}),
    "absolute form": Shape({b":path": b"http://evil.example/guarded"}),
    "a header of the proxy's": Shape({b"forwarded": b"for=192.0.2.66;proto=http"}),
    "upgrade": Shape({b":method": b"GET", b"upgrade": b"h2c", b"http2-settings": b"AAMAAABk"}),
    "expect": Shape({b"expect": b"100-continue", b"content-length": b"3"}, b"123"),
    "te": Shape({b"te": b"chunked, trailers"}, INNER.encode()),
}
"""HTTP/2 requests that would be others, or several, as the HTTP/1.1 that nginx makes of them."""
