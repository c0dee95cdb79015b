"""The HTTP client of the self-check: HTTP/2 over TLS, or HTTP/1.1 in place of a proxy.

Built on h2 and the standard library, which the service needs anyway: a client library of its own
would be installed in production for one request.
"""

import http.client
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPMethod

from h2.config import H2Configuration
from h2.connection import H2Connection
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
BOUNDARY = "sealed-ocr-self-check"
HTTP_2, HTTP_1_1 = "HTTP/2", "HTTP/1.1"


class NoResponse(Exception):
    """The server closed the stream or the connection before its response was complete."""


@dataclass(frozen=True)
class Request:
    """A request; a body is sent whole, with its length."""

    method: HTTPMethod
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


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


def upload(path: str, headers: dict[str, str], name: str, image: bytes) -> Request:
    """Return a request that uploads a PNG image as the form field `image`."""
    head = (
        f"--{BOUNDARY}\r\n"
        f'Content-Disposition: form-data; name="image"; filename="{name}"\r\n'
        "Content-Type: image/png\r\n\r\n"
    )
    body = head.encode() + image + f"\r\n--{BOUNDARY}--\r\n".encode()
    kind = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
    return Request(HTTPMethod.POST, path, headers | kind, body)


def send_http1(
    connection: http.client.HTTPConnection, request: Request, headers: dict[str, str]
) -> Response:
    """Send a request with more headers over HTTP/1.1; close the connection afterwards.

    Raises:
        OSError: the connection failed.
        HTTPException: the response is not HTTP.

    """
    try:
        connection.request(
            request.method, request.path, request.body or None, request.headers | headers
        )
        response = connection.getresponse()
        return Response(response.status, HTTP_1_1, response.read())
    finally:
        connection.close()


def send_http2(
    address: tuple[str, int], trust: ssl.SSLContext, request: Request, timeout_s: float
) -> Response:
    """Send a request over a new HTTP/2 connection, which is closed afterwards.

    `trust` verifies the server's certificate for the host of `address`.

    Raises:
        OSError: the connection or the TLS handshake failed.
        NoResponse: the server does not speak HTTP/2, or ended before it had responded.

    """
    trust.set_alpn_protocols(["h2"])
    host, port = address
    with (
        socket.create_connection(address, timeout_s) as plain,
        trust.wrap_socket(plain, server_hostname=host) as connection,
    ):
        if connection.selected_alpn_protocol() != "h2":
            raise NoResponse("the server does not speak HTTP/2")
        try:
            return _Exchange(connection).send(f"{host}:{port}", request)
        except ProtocolError as error:
            raise NoResponse(f"HTTP/2: {error}") from error


class _Exchange:
    """One request and its response over an open HTTP/2 connection."""

    def __init__(self, connection: ssl.SSLSocket) -> None:
        self._socket = connection
        self._h2 = H2Connection(H2Configuration(client_side=True, header_encoding=None))
        self._status = 0
        self._body = bytearray()
        self._ended = False

    def send(self, authority: str, request: Request) -> Response:
        self._h2.initiate_connection()
        stream = self._h2.get_next_available_stream_id()
        self._h2.send_headers(stream, list(_head(authority, request)), end_stream=not request.body)
        rest = request.body
        while not self._ended:
            rest = self._send_body(stream, rest)
            self._socket.sendall(self._h2.data_to_send())
            self._receive()
        self._h2.close_connection()
        self._socket.sendall(self._h2.data_to_send())
        return Response(self._status, HTTP_2, bytes(self._body))

    def _send_body(self, stream: int, rest: bytes) -> bytes:
        """Write as much as the windows allow; return what is left."""
        while rest:
            window = self._h2.local_flow_control_window(stream)
            piece = rest[: min(window, self._h2.max_outbound_frame_size)]
            if not piece:
                break
            rest = rest[len(piece) :]
            self._h2.send_data(stream, piece, end_stream=not rest)
        return rest

    def _receive(self) -> None:
        data = self._socket.recv(RECEIVE_BYTES)
        if not data:
            raise NoResponse("the server closed the connection")
        for event in self._h2.receive_data(data):
            self._note(event)

    def _note(self, event: Event) -> None:
        match event:
            case ResponseReceived():
                self._status = int(dict(event.headers)[b":status"])
            case DataReceived():
                self._body += event.data
                self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            case StreamEnded():
                self._ended = True
            case StreamReset() | ConnectionTerminated():
                raise NoResponse(f"the server ended the request: {event.error_code!r}")


def _head(authority: str, request: Request) -> Iterator[tuple[str, str]]:
    yield ":method", request.method
    yield ":scheme", "https"
    yield ":authority", authority
    yield ":path", request.path
    if request.body:
        yield "content-length", str(len(request.body))
    yield from ((name.lower(), value) for name, value in request.headers.items())
