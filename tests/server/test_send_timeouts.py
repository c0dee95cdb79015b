"""Clients that do not read their response: the request ends after a timeout."""

import asyncio
import socket
import ssl
import time

import h2.events
import h2.settings
from h2.errors import ErrorCodes

from server.send_timeouts import SendTimeouts
from tests.server.clients import Client, stats
from tests.server.servers import PATIENCE_S, VARIANTS, Server, serving, soon, until
from tls.development import Paths

LONGER = 4  # seconds, with a timeout of 2.5 s
HEAD = b"GET /endless HTTP/1.1\r\nhost: localhost\r\n\r\n"


def windowless(server: Server) -> Client:
    """Return a client whose streams have a window of 0."""
    client = Client(server)
    client.h2.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 0})
    client.flush()
    client.wait(lambda: client.seen(h2.events.SettingsAcknowledged))
    return client


@VARIANTS
def test_a_response_without_a_window_times_out(pair: Paths, *, hardened: bool) -> None:
    """The stream is reset, its handler ends, and the connection stays usable."""
    with (
        serving(pair, hardened=hardened, send_timeout_s=0.5) as server,
        windowless(server) as client,
    ):
        stream = client.open("/late?0", "GET", end=True)
        assert client.wait(lambda: client.seen(h2.events.StreamReset, stream), server.patience_s)
        assert client.seen(h2.events.StreamReset, stream).error_code is ErrorCodes.CANCEL
        assert stats(server)["running"] == 0
        assert not client.closed


@VARIANTS
def test_tiny_windows_do_not_prolong_it(pair: Paths, *, hardened: bool) -> None:
    """A byte of window now and then (CVE-2019-9511) does not reset the timeout."""
    with (
        serving(pair, hardened=hardened, send_timeout_s=0.5) as server,
        windowless(server) as client,
    ):
        stream = client.open("/endless", "GET", end=True)

        def crumb() -> bool:
            client.h2.increment_flow_control_window(1, stream)
            client.flush()
            client.read(0.05)
            return bool(client.seen(h2.events.StreamReset, stream))

        assert soon(crumb, server.patience_s)


def test_a_slow_client_that_makes_progress_is_served(pair: Paths) -> None:
    """Twenty kilobytes at a time, with pauses, for longer than the timeout."""
    with serving(pair, hardened=True, send_timeout_s=2.5) as server, windowless(server) as client:
        stream = client.open("/endless", "GET", end=True)
        end = time.monotonic() + LONGER
        while time.monotonic() < end:
            time.sleep(0.2)
            client.h2.increment_flow_control_window(20_000, stream)
            client.h2.increment_flow_control_window(20_000)
            client.socket.sendall(client.h2.data_to_send())
        assert client.wait(lambda: len(client.body(stream)) > 100_000)
        assert not client.seen(h2.events.StreamReset, stream)


def test_a_fast_client_may_open_its_window_often(hardened: Server) -> None:
    """The WINDOW_UPDATEs of twenty megabytes, read at full speed, are not a flood."""
    with Client(hardened) as client:
        stream = client.open("/endless", "GET", end=True)
        taken = 0
        while taken < 20_000_000:
            client.read(1)
            assert not client.closed
            taken += len(client.body(stream))
            client.events.clear()


@VARIANTS
def test_a_client_that_does_not_read_is_disconnected(pair: Paths, *, hardened: bool) -> None:
    """Over HTTP/1.1, where only the socket has a window, the connection ends."""
    with serving(pair, hardened=hardened, send_timeout_s=0.5) as server:
        context = ssl.create_default_context(cafile=str(server.ca))
        with socket.socket() as bare:
            bare.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            bare.settimeout(PATIENCE_S)
            bare.connect(("127.0.0.1", server.port))
            with context.wrap_socket(bare, server_hostname="localhost") as client:
                client.sendall(HEAD)
                until(lambda: stats(server)["running"] == 1)
                assert soon(lambda: stats(server)["running"] == 0, server.patience_s)


def test_nothing_times_out_on_a_closed_connection() -> None:
    """A task that still sends then starts no timeout."""
    given_up: list[int] = []

    async def run() -> None:
        send_timeouts = SendTimeouts(0.001, given_up.append)
        send_timeouts.update(1, 0, 5)
        send_timeouts.close()
        send_timeouts.update(3, 0, 5)
        await asyncio.sleep(0.05)

    asyncio.run(run())
    assert given_up == []
