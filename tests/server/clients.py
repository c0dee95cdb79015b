"""A client that speaks HTTP/2 frame by frame, so that it can misbehave."""

import json
import socket
import ssl
import time
from contextlib import suppress
from typing import Any, Self

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from tests.server.servers import PATIENCE_S, Server, until


class Client:
    """One TLS connection with HTTP/2 on it; with an earlier one's session, from another address."""

    def __init__(
        self,
        server: Server,
        context: ssl.SSLContext | None = None,
        session: ssl.SSLSession | None = None,
        source: str = "127.0.0.1",
    ) -> None:
        context = context or ssl.create_default_context(cafile=str(server.ca))
        context.set_alpn_protocols(["h2"])
        bare = socket.create_connection(("127.0.0.1", server.port), PATIENCE_S, (source, 0))
        # Else a second small write waits for the acknowledgement of the first: 40 ms.
        bare.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = context.wrap_socket(bare, server_hostname="localhost", session=session)
        self.h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(header_encoding="utf-8", validate_outbound_headers=False)
        )
        self.events: list[h2.events.Event] = []
        self.closed = False
        try:
            self.h2.initiate_connection()
            self.flush()
            self.wait(lambda: self.seen(h2.events.RemoteSettingsChanged))
        except BaseException:
            self.socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def flush(self) -> None:
        """Send what h2 has to send."""
        try:
            self.socket.sendall(self.h2.data_to_send())
        except OSError:
            self.closed = True

    def open(
        self, path: str, method: str = "POST", *, end: bool = False, length: int | None = None
    ) -> int:
        """Open a stream with a request's headers; `length` is its Content-Length."""
        stream_id = self._head(path, method, end=end, length=length)
        self.flush()
        return stream_id

    def _head(self, path: str, method: str, *, end: bool, length: int | None = None) -> int:
        stream_id = self.h2.get_next_available_stream_id()
        headers = {":method": method, ":path": path, ":scheme": "https", ":authority": "localhost"}
        if length is not None:
            headers["content-length"] = str(length)
        self.h2.send_headers(stream_id, headers.items(), end_stream=end)
        return stream_id

    def open_many(self, path: str, count: int) -> None:
        """Send `count` requests without a body, in one write."""
        for _ in range(count):
            self._head(path, "GET", end=True)
        self.flush()

    def get(self, path: str) -> bytes:
        """Make a request without a body and return the response's body."""
        stream_id = self.open(path, "GET", end=True)
        self.wait(lambda: self.ended(stream_id))
        return self.body(stream_id)

    def send(self, stream_id: int, body: bytes, *, end: bool = True, patience_s: float = 5) -> int:
        """Send body as far as flow control allows, whatever the response; return how many bytes."""
        sent = 0
        limit = time.monotonic() + patience_s
        while sent < len(body) and not self.closed and time.monotonic() < limit:
            try:
                room = self.h2.local_flow_control_window(stream_id)
                piece = body[sent : sent + min(room, self.h2.max_outbound_frame_size)]
                if piece:
                    self.h2.send_data(stream_id, piece)
                    sent += len(piece)
            except h2.exceptions.ProtocolError:
                return sent
            self.flush()
            self.read(0 if piece else 0.05)
        if end and sent == len(body) and not self.closed:
            self.h2.end_stream(stream_id)
            self.flush()
        return sent

    def read(self, timeout_s: float) -> bool:
        """Read what arrives within a time; return whether anything did."""
        self.socket.settimeout(timeout_s or 0.000001)
        try:
            data = self.socket.recv(65536)
        except (TimeoutError, ssl.SSLWantReadError):
            return False
        except OSError:
            self.closed = True
            return True
        if not data:
            self.closed = True
            return True
        events = self.h2.receive_data(data)
        self.events += events
        for event in events:
            if isinstance(event, h2.events.DataReceived):
                self.acknowledge(event)
        self.flush()
        return True

    def acknowledge(self, event: h2.events.DataReceived) -> None:
        """Acknowledge received body, so that the server can send more."""
        amount = event.flow_controlled_length or 0
        with suppress(h2.exceptions.ProtocolError):
            self.h2.acknowledge_received_data(amount, event.stream_id or 0)

    def wait(self, condition: Any, patience_s: float = PATIENCE_S) -> bool:
        """Read until a condition holds or the connection ends; return whether it held."""
        end = time.monotonic() + patience_s
        while not condition():
            if self.closed or time.monotonic() > end:
                return bool(condition())
            self.read(0.05)
        return True

    def seen(self, kind: type[h2.events.Event], stream_id: int | None = None) -> Any:
        """Return the first event of a kind, or None."""
        for event in self.events:
            if isinstance(event, kind) and stream_id in {None, getattr(event, "stream_id", None)}:
                return event
        return None

    def status(self, stream_id: int) -> int | None:
        """Return the status of a response; None if it has not arrived."""
        event = self.seen(h2.events.ResponseReceived, stream_id)
        return event and int(dict(event.headers)[":status"])

    def ended(self, stream_id: int) -> bool:
        """Whether a response is complete."""
        return self.seen(h2.events.StreamEnded, stream_id) is not None

    def body(self, stream_id: int) -> bytes:
        """Return what has arrived of a response's body."""
        return b"".join(
            event.data or b""
            for event in self.events
            if isinstance(event, h2.events.DataReceived) and event.stream_id == stream_id
        )


def stats(server: Server) -> dict[str, Any]:
    """Return the application's statistics, on a connection of its own."""
    with Client(server) as client:
        answer: dict[str, Any] = json.loads(client.get("/stats"))
        return answer


def settled_stats(server: Server) -> dict[str, Any]:
    """Return the statistics once no handler of an earlier test runs; stock Hypercorn's may stay."""
    if server.hardened:
        until(lambda: stats(server)["running"] == 0)
    return stats(server)
