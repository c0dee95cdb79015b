"""The closed list of what is changed in Hypercorn, and where.

Every patch point is a name that Hypercorn looks up when it serves, so that installing at the
import of the application is early enough. The stock objects are kept: installing again replaces,
it does not pile up.
"""

import asyncio.sslproto
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import hypercorn.asyncio.run
import hypercorn.protocol
import hypercorn.protocol.h2
import hypercorn.protocol.h11
import hyperframe.frame
from hypercorn.config import Config

from server.alerts import telling
from server.connection_limit import ConnectionLimit
from server.connections import HardenedTCPServer
from server.contexts import ReloadableContext, make_context
from server.fair_queue import FairQueue
from server.flow_control import UploadLimits
from server.graceful_shutdown import HardenedLifespan, HardenedWorkerContext
from server.handshakes import Handshakes
from server.http1 import HardenedH11Protocol
from server.http2 import HardenedH2Protocol
from server.network_limit import NetworkLimit
from server.options import ServerOptions
from server.serving import checked, refuse_start
from server.streams import HardenedHTTPStream


class ServerHandle:
    """What the application may ask of the server it runs on, and have it do."""

    def __init__(self, gate: ConnectionLimit) -> None:
        self._gate = gate
        self.make_context: Callable[[], ssl.SSLContext] | None = None
        self.context: ReloadableContext | None = None

    def renew_context(self) -> None:
        """Give new connections a new context, made from the certificate's files as they are.

        Nothing changes while there is no TLS, or not yet.

        Raises:
            OSError: a file is missing, or cannot be used (ssl.SSLError).

        """
        if self.make_context is not None and self.context is not None:
            self.context.newest = self.make_context()

    def close_verified_before(self, generation: int) -> None:
        """Close connections whose client certificate was verified by CAs of an older generation."""
        self._gate.trust(generation)

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._gate.live)

    @property
    def refused_connections(self) -> int:
        """How many connections were turned away since the start."""
        return self._gate.refused


_Patch = Callable[[ServerOptions, ServerHandle], None]


@dataclass(frozen=True, slots=True)
class Fix:
    """One change to Hypercorn: its name (the probes' key), why, and the change."""

    name: str
    upstream: str
    """Issues and pull requests of pgjones/hypercorn, or where its source shows it."""
    apply: _Patch


# Any: these modules don't export the names they look up.
_run: Any = hypercorn.asyncio.run
_protocol: Any = hypercorn.protocol
_config_class: Any = Config

_serve = hypercorn.asyncio.run.worker_serve
_create_ssl_context: Callable[[Config], Any] = Config.create_ssl_context
_ssl_protocol: Any = asyncio.sslproto.SSLProtocol
_gate = ConnectionLimit(0)


def _requests(options: ServerOptions, _transport: ServerHandle) -> None:
    HardenedHTTPStream.turns = FairQueue(options.subnet_of)
    _protocol.h2.HTTPStream = HardenedHTTPStream
    _protocol.h11.HTTPStream = HardenedHTTPStream


def _http2(options: ServerOptions, _transport: ServerHandle) -> None:
    HardenedH2Protocol.limits = UploadLimits(
        stream_window_bytes=options.receive_window_bytes,
        connection_window_bytes=options.connection_window_bytes,
        discard_bytes=options.discard_bytes,
        linger_s=options.linger_s,
    )
    HardenedH2Protocol.control_frames_per_s = options.control_frames_per_s
    HardenedH2Protocol.send_timeout_s = options.send_timeout_s
    _protocol.H2Protocol = HardenedH2Protocol


def _http1(options: ServerOptions, _transport: ServerHandle) -> None:
    HardenedH11Protocol.linger_s = options.linger_s
    HardenedH11Protocol.discard_bytes = options.discard_bytes
    _protocol.H11Protocol = HardenedH11Protocol


def _connections(options: ServerOptions, _transport: ServerHandle) -> None:
    _gate.max_connections = options.max_connections
    HardenedTCPServer.gate = _gate
    HardenedTCPServer.linger_s = options.linger_s
    HardenedTCPServer.send_timeout_s = options.send_timeout_s
    _run.TCPServer = HardenedTCPServer


def _farewell(_choices: ServerOptions, _transport: ServerHandle) -> None:
    _run.WorkerContext = HardenedWorkerContext
    _run.Lifespan = HardenedLifespan


def _context(options: ServerOptions, transport: ServerHandle) -> None:
    @wraps(_create_ssl_context)
    def create_ssl_context(config: Config) -> ssl.SSLContext | None:
        if config.certfile is None or config.keyfile is None:
            return None  # plain HTTP
        transport.make_context = lambda: make_context(config, _create_ssl_context, options, _gate)
        try:
            transport.context = ReloadableContext(transport.make_context())
        except OSError as error:
            refuse_start(f"TLS can't start: {error}")
        return transport.context

    _config_class.create_ssl_context = create_ssl_context


def _alerts(options: ServerOptions, _transport: ServerHandle) -> None:
    _ssl_protocol._fatal_error = telling(options.linger_s, _gate.hold, _gate.handshake_ends)  # noqa: SLF001


def _memory(options: ServerOptions, _transport: ServerHandle) -> None:
    # 256 KiB for every connection: 307 KB become 115 KB. uvloop has a ring of its own (53 KB).
    _ssl_protocol.max_size = options.tls_buffer_bytes


def _handshakes(options: ServerOptions, _transport: ServerHandle) -> None:
    network_limit = NetworkLimit(
        most=options.max_connections_per_address,
        per_s=options.new_connections_per_s,
        frames_per_s=options.control_frames_per_s,
        subnet_of=options.subnet_of,
    )
    HardenedH2Protocol.network_limit = network_limit
    Handshakes(_gate, network_limit).apply()


def _description(_choices: ServerOptions, _transport: ServerHandle) -> None:
    # h2 describes every frame to a log that nobody reads, and a DATA frame's description copies
    # and hexlifies its whole body before it keeps twenty characters of it.
    hyperframe.frame.DataFrame._body_repr = brief  # type: ignore[method-assign, assignment]  # noqa: SLF001


def brief(frame: hyperframe.frame.DataFrame) -> str:
    """Describe a frame of body by its length."""
    return f"data=<{len(frame.data)} bytes>"


def _config(options: ServerOptions, _transport: ServerHandle) -> None:
    _run.worker_serve = checked(_serve, options.prepare_config, _gate.listen)


FIXES = (
    Fix("requests end with their client", "http_stream.py:127, task_group.py:55", _requests),
    Fix("http2 uploads", "#312 #329 #334 #335 #365, h2.py:73,211,256", _http2),
    Fix("http1 early replies", "h11.py:277,291", _http1),
    Fix("connection cap and bounded close", "#81 #361, tcp_server.py:113", _connections),
    Fix("farewell at the end", "tcp_server.py:133, run.py:176", _farewell),
    Fix("tls context", "#62 #233 #324, config.py:177", _context),
    Fix("handshakes in turn", "CPython's asyncio/sslproto.py, selector_events.py", _handshakes),
    Fix("tls alerts", "CPython's asyncio/sslproto.py: _on_handshake_complete", _alerts),
    Fix("tls memory", "CPython's asyncio/sslproto.py: max_size", _memory),
    Fix("http2 data is not described", "h2's connection.py:1543, hyperframe", _description),
    Fix("config check", "#269 #372, run.py:106", _config),
)
"""All of it."""


def apply_all(options: ServerOptions) -> ServerHandle:
    """Apply every fix to this process."""
    transport = ServerHandle(_gate)
    for fix in FIXES:
        fix.apply(options, transport)
    return transport
