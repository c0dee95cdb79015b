"""Clients with small HTTP/2 windows get their response, and pay for each small piece."""

import struct
import subprocess

import h2.events
import pytest
from h2.errors import ErrorCodes
from h2.settings import SettingCodes

from server.options import SMALLEST_WINDOW
from tests.server.clients import Client
from tests.server.servers import PATIENCE_S, Server
from tests.system.attacks.wire import PRIORITY, frame

STREAMS = 90


class Withholding(Client):
    """A client that opens its windows only where a test says so."""

    def acknowledge(self, event: h2.events.DataReceived) -> None:
        """Keep the window as small as what has been received made it."""

    def resize(self, size: int) -> None:
        """Announce SETTINGS_INITIAL_WINDOW_SIZE, and wait until it is acknowledged."""
        self.events.clear()
        self.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: size})
        self.flush()
        assert self.wait(lambda: self.seen(h2.events.SettingsAcknowledged))

    def open_window(self, stream: int, size: int) -> None:
        """Open the window of a stream by `size` bytes."""
        self.h2.increment_flow_control_window(size, stream)
        self.flush()

    def open_windows(self, number: int, *, by_setting: bool) -> None:
        """Open the windows of all streams, or of the connection, by a byte."""
        if by_setting:
            self.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: number + 1})
        else:
            self.h2.increment_flow_control_window(1)
        self.flush()

    @property
    def received(self) -> int:
        """How many bytes of bodies have arrived."""
        bodies = [each for each in self.events if isinstance(each, h2.events.DataReceived)]
        return sum(len(each.data or b"") for each in bodies)


@pytest.mark.parametrize("bits", [1, 6, 10])
def test_nghttp_with_small_windows_is_served(hardened: Server, bits: int) -> None:
    """A window of 1, 63 or 1,023 bytes is opened again after each piece."""
    done = subprocess.run(
        ["nghttp", "-w", str(bits), f"https://127.0.0.1:{hardened.port}/stats"],
        capture_output=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert b'"running"' in done.stdout, done.stderr
    assert done.stdout.endswith(b"}")


def test_frames_on_a_half_closed_stream(hardened: Server) -> None:
    """h2spec, 5.1: WINDOW_UPDATE and PRIORITY on a half-closed (remote) stream are accepted."""
    with Withholding(hardened) as client:
        client.resize(0)
        stream = client.open("/endless", "GET", end=True)
        assert client.wait(lambda: client.status(stream))
        client.socket.sendall(frame(PRIORITY, 0, stream, struct.pack(">IB", 0, 255)))
        client.open_window(stream, 100)
        assert client.wait(lambda: len(client.body(stream)) == 100)
        assert not client.seen(h2.events.StreamReset)


def test_the_initial_window_changed_after_the_headers(hardened: Server) -> None:
    """h2spec, 6.9.2: a changed SETTINGS_INITIAL_WINDOW_SIZE applies to open streams."""
    with Withholding(hardened) as client:
        client.resize(0)
        stream = client.open("/endless", "GET", end=True)
        assert client.wait(lambda: client.status(stream))
        client.resize(1)
        assert client.wait(lambda: len(client.body(stream)) == 1)


def test_a_negative_window(hardened: Server) -> None:
    """h2spec, 6.9.2: three bytes sent with a window of 3, then of 2, leave -1; 2 more make it 1."""
    with Withholding(hardened) as client:
        client.resize(3)
        stream = client.open("/endless", "GET", end=True)
        assert client.wait(lambda: len(client.body(stream)) == 3)
        client.resize(2)
        client.open_window(stream, 2)
        assert client.wait(lambda: len(client.body(stream)) == 1)  # of what came since
        assert not client.wait(lambda: len(client.body(stream)) > 1, 0.2)


@pytest.mark.parametrize("by_setting", [True, False])
def test_tiny_windows_are_charged(hardened: Server, *, by_setting: bool) -> None:
    """A byte of window now and then is a flood (CVE-2019-9511).

    The frames alone would not be: twenty times 22 of a burst of 1,000.
    """
    with Withholding(hardened) as client:
        client.resize(0 if by_setting else SMALLEST_WINDOW)
        before = 0 if by_setting else SMALLEST_WINDOW
        opened = [client.open("/endless", "GET", end=True) for _ in range(STREAMS)]
        assert client.wait(lambda: all(map(client.status, opened)) and client.received == before)
        for number in range(20):
            if client.closed:
                break
            client.open_windows(number, by_setting=by_setting)
            due = before + (number + 1) * (STREAMS if by_setting else 1)
            client.wait(lambda due=due: client.received == due)
        code = client.seen(h2.events.ConnectionTerminated).error_code
        assert code is ErrorCodes.ENHANCE_YOUR_CALM


def test_windows_of_some_size_are_not(hardened: Server) -> None:
    """The same, a kilobyte at a time."""
    with Withholding(hardened) as client:
        client.resize(0)
        client.h2.increment_flow_control_window(1 << 20)
        stream = client.open("/endless", "GET", end=True)
        assert client.wait(lambda: client.status(stream))
        for _ in range(900):
            client.open_window(stream, 1024)
        assert client.wait(lambda: client.received == 900 * 1024)
