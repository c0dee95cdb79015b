"""Requests as no client library would send them, byte by byte."""

import socket
import struct
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass

from hpack import Decoder, Encoder, HPACKError

from tests.system.attacks.wire import (
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEAD_BYTES,
    HEADERS,
    PREFACE,
    RST_STREAM,
    SETTINGS,
    frame,
)
from tests.system.service import Service

PATIENCE_S = 10
Fields = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Reply:
    """A status, or none where the request was not answered, and all that came with it."""

    status: int | None
    content: bytes
    location: bytes | None = None


def connect(service: Service, protocol: str) -> socket.socket:
    """Open a connection: TLS with a protocol agreed, or none ("plain")."""
    port = service.ports["http" if protocol == "plain" else "https"]
    bare = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
    if protocol == "plain":
        return bare
    trust = service.trust()
    trust.set_alpn_protocols([protocol])
    return trust.wrap_socket(bare, server_hostname="localhost")


def send_http1(service: Service, request: bytes, *, plain: bool = False) -> Reply:
    """Send a request's bytes, and read until the service closes or an answer's head is there."""
    with closing(connect(service, "plain" if plain else "http/1.1")) as line:
        got = b""
        with suppress(OSError):
            line.sendall(request)
        with suppress(OSError):
            while b"\r\n\r\n" not in got and (piece := line.recv(65536)):
                got += piece
            line.settimeout(0.05)  # the body of a short answer comes along
            got += line.recv(65536)
    if not got.startswith(b"HTTP/1.1 "):
        return Reply(None, got)
    heads = got.partition(b"\r\n\r\n")[0].split(b"\r\n")
    where = [head.partition(b": ")[2] for head in heads if head.lower().startswith(b"location:")]
    return Reply(int(got[9:12]), got, where[0] if where else None)


def http1(target: bytes, *fields: tuple[bytes, bytes], method: bytes = b"GET") -> bytes:
    """Return a request's bytes; nothing is checked."""
    lines = [method + b" " + target + b" HTTP/1.1", *(n + b": " + v for n, v in fields)]
    return b"\r\n".join([*lines, b"", b""])


def send_http2(service: Service, fields: Fields) -> Reply:
    """Send a request's fields on a new connection and read the response."""
    decoder, content = Decoder(), b""
    head: dict[bytes, bytes] = {}
    with closing(connect(service, "h2")) as line, suppress(OSError, HPACKError):
        headers = Encoder().encode(list(fields), huffman=False)
        opening = PREFACE + frame(SETTINGS, payload=struct.pack(">HI", 2, 0))
        line.sendall(opening + frame(HEADERS, END_HEADERS | END_STREAM, 1, headers))
        rest = b""
        while True:
            while len(rest) >= HEAD_BYTES and len(rest) >= HEAD_BYTES + int.from_bytes(rest[:3]):
                size = HEAD_BYTES + int.from_bytes(rest[:3])
                kind, flags, payload = rest[3], rest[4], rest[HEAD_BYTES:size]
                stream, rest = int.from_bytes(rest[5:9]), rest[size:]
                if kind == HEADERS:
                    for name, value in decoder.decode(payload, raw=True):
                        head[name] = value
                        content += name + b": " + value + b"\n"
                elif stream == 1:
                    content += payload
                if kind in {RST_STREAM, GOAWAY} or (stream == 1 and flags & END_STREAM):
                    raise ConnectionError  # it is over
            piece = line.recv(65536)
            if not piece:
                break
            rest += piece
    status = head.get(b":status")
    return Reply(int(status) if status else None, content, head.get(b"location"))
