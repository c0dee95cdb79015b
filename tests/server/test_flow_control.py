"""HTTP/2 bodies: early responses, unread bodies, and windows."""

import ssl

import h2.errors
import h2.events
import httpx2
import pytest

from tests.server.clients import Client
from tests.server.servers import Server, both, both_tight, serving, until
from tls.development import Paths

MEGABYTE = bytes(1_000_000)
WAKING = 1  # byte, of a WINDOW_UPDATE that wakes a client after a SETTINGS frame


@both
def test_early_response_leaves_the_connection_usable(server: Server) -> None:
    """Body that arrives after a 401 affects neither its own stream's response nor others."""
    with Client(server) as client:
        other = client.open("/late?0.3", "GET", end=True)
        refused = client.open("/refuse")
        assert client.wait(lambda: client.ended(refused))
        client.send(refused, MEGABYTE, patience_s=1)
        assert client.wait(lambda: client.ended(other), server.patience_s)
        assert client.status(refused) == 401
        assert client.status(other) == 200
        assert client.get("/stats")


@both
def test_an_upload_may_end_early_after_its_response(server: Server) -> None:
    """A body shorter than its Content-Length, as curl leaves it, ends no other request."""
    with Client(server) as client:
        other = client.open("/late?0.3", "GET", end=True)
        refused = client.open("/refuse", length=len(MEGABYTE))
        assert client.wait(lambda: client.status(refused))
        client.send(refused, b"")
        assert client.wait(lambda: client.ended(other), server.patience_s)
        assert client.status(other) == 200
        assert client.get("/stats")


def test_a_short_body_without_a_response_is_an_error(hardened: Server) -> None:
    """Before the response, h2 refuses a body that differs from its Content-Length."""
    with Client(hardened) as client:
        client.send(client.open("/count", length=len(MEGABYTE)), b"")
        assert client.wait(lambda: client.closed)


@both
def test_httpx_sees_an_early_status(server: Server) -> None:
    """A client that reads only after it has sent its whole body gets the response."""
    trust = ssl.create_default_context(cafile=str(server.ca))
    with httpx2.Client(verify=trust, http1=False, http2=True, timeout=server.patience_s) as client:
        assert status_of(client, server) == 401
        assert status_of(client, server) == 401


def status_of(client: httpx2.Client, server: Server) -> int | None:
    """Post a large body to the path that refuses; return the status, or None for an error."""
    try:
        return client.post(
            f"https://localhost:{server.port}/refuse", content=MEGABYTE * 3
        ).status_code
    except httpx2.HTTPError:
        return None


@both_tight
def test_endless_upload_is_stopped_without_an_error(server: Server) -> None:
    """Beyond discard_bytes a client is told to stop and to keep the response: NO_ERROR."""
    with Client(server) as client:
        refused = client.open("/refuse")
        assert client.wait(lambda: client.ended(refused))
        client.send(refused, MEGABYTE, patience_s=1)
        assert client.wait(lambda: client.seen(h2.events.StreamReset, refused), server.patience_s)
        reset = client.seen(h2.events.StreamReset, refused)
        assert reset.error_code == h2.errors.ErrorCodes.NO_ERROR
        assert client.status(refused) == 401


@both
def test_silent_upload_is_stopped_in_time(server: Server) -> None:
    """A client that neither ends nor continues an answered request is reset after linger_s."""
    with Client(server) as client:
        refused = client.open("/refuse")
        assert client.wait(lambda: client.ended(refused))
        assert client.wait(lambda: client.seen(h2.events.StreamReset, refused), server.patience_s)


@both
def test_discarded_body_is_acknowledged(server: Server) -> None:
    """Twenty refused uploads leave the connection's window as large as before."""
    with Client(server) as client:
        for _ in range(20):
            refused = client.open("/refuse")
            client.wait(lambda stream_id=refused: client.ended(stream_id))
            client.send(refused, bytes(60_000), patience_s=2)
        upload = client.open("/count")
        assert client.send(upload, MEGABYTE) == len(MEGABYTE)
        assert client.wait(lambda: client.ended(upload))
        assert client.body(upload) == b"1000000"


@both
def test_unread_body_does_not_block_others(server: Server) -> None:
    """While one request leaves its body unread, others on the connection are served."""
    with Client(server) as client:
        unread = client.open("/unread")
        client.send(unread, MEGABYTE, patience_s=0.5)
        assert client.wait(lambda: True)
        other = client.open("/count")
        assert client.send(other, bytes(200_000), patience_s=server.patience_s) == 200_000
        assert client.wait(lambda: client.ended(other), server.patience_s)
        assert client.body(other) == b"200000"


@both
def test_window_grows_only_on_request(server: Server) -> None:
    """An unread body stops at the initial window, and after grow() at the requested one."""
    with Client(server) as client:
        unread = client.open("/unread")
        assert client.send(unread, MEGABYTE, patience_s=1.5) == 65_535
        asked = client.open("/grow?3000000")
        client.wait(lambda: client.h2.local_flow_control_window(asked) > 65_535, server.patience_s)
        assert client.h2.local_flow_control_window(asked) == 3_000_000 + WAKING


def test_a_stream_that_waits_gets_a_window_update(hardened: Server) -> None:
    """SETTINGS alone enlarges its window, but does not wake the HttpClient of Java 17."""
    with Client(hardened) as client:
        waiting, other = client.open("/grow?100000"), client.open("/grow?2000000")
        for stream in (waiting, other):
            assert client.wait(lambda stream=stream: updates(client, stream) > 0)
        small = client.open("/grow?1000")
        client.send(small, b"x")
        assert client.wait(lambda: client.ended(small))
        assert updates(client, small) == 0


def updates(client: Client, stream: int) -> int:
    """Return how many WINDOW_UPDATE frames a stream was sent."""
    found = [each for each in client.events if isinstance(each, h2.events.WindowUpdated)]
    return sum(each.stream_id == stream for each in found)


@both
def test_grown_windows_do_not_add_up(server: Server) -> None:
    """The connection's window retains the growth for one stream; the others' ends with them."""
    with Client(server) as client:
        for _ in range(6):
            asked = client.open("/grow?2000000")
            assert client.wait(
                lambda stream_id=asked: (
                    client.h2.local_flow_control_window(stream_id) == 2_000_000 + WAKING
                ),
                server.patience_s,
            )
            assert client.send(asked, MEGABYTE * 2) == 2_000_000
            assert client.wait(lambda stream_id=asked: client.ended(stream_id))
        assert client.h2.outbound_flow_control_window <= (1 << 20) + 2 * 2_000_000


def admitted(client: Client, window_bytes: int) -> int:
    """Send an upload with a grown window; return the initial window of the next stream."""
    asked = client.open(f"/grow?{window_bytes}")
    expected = {window_bytes, window_bytes + WAKING}
    assert client.wait(lambda: client.h2.local_flow_control_window(asked) in expected)
    assert client.send(asked, MEGABYTE) == len(MEGABYTE)
    client.wait(lambda: client.ended(asked))
    return client.h2.local_flow_control_window(client.open("/unread"))


def test_the_next_upload_has_the_grown_window(hardened: Server) -> None:
    """The next upload of the connection starts with the grown window; other connections do not."""
    with Client(hardened) as client, Client(hardened) as other:
        assert admitted(client, 5_000_000) == 5_000_000
        refused = other.open("/refuse")
        other.send(refused, MEGABYTE, patience_s=1)
        other.wait(lambda: other.ended(refused))
        assert other.h2.local_flow_control_window(other.open("/unread")) == 65_535


def test_retained_windows_have_a_limit(hardened: Server) -> None:
    """All connections together retain 64 MiB; a closed one retains nothing."""
    with Client(hardened) as first:
        assert admitted(first, 50_000_000) == 50_000_000
        with Client(hardened) as second:
            assert admitted(second, 50_000_000) == 65_535
    with Client(hardened) as third:
        until(lambda: admitted(third, 50_000_000) == 50_000_000)


def test_empty_and_padded_frames_are_received(pair: Paths) -> None:
    """Ten thousand empty frames and padded ones, where the limit allows them, are received."""
    with (
        serving(pair, hardened=True, control_frames_per_s=10_000) as server,
        Client(server) as client,
    ):
        upload = client.open("/count")
        for _ in range(10_000):
            client.h2.send_data(upload, b"")
        client.flush()
        for _ in range(600):
            while client.h2.local_flow_control_window(upload) < 300:
                client.read(0.05)
            client.h2.send_data(upload, b"x", pad_length=200)
            client.flush()
            client.read(0)
        client.h2.end_stream(upload)
        client.flush()
        assert client.wait(lambda: client.ended(upload))
        assert client.body(upload) == b"600"


@pytest.mark.parametrize(("hardened", "announced"), [(True, 65_536), (False, 16_384)])
def test_the_maximum_frame_size_is_announced(
    pair: Paths, *, hardened: bool, announced: int
) -> None:
    """The server announces h2_max_inbound_frame_size; stock announces 16 KiB."""
    large = {"h2_max_inbound_frame_size": 65_536}
    with serving(pair, hardened=hardened, settings=large) as server, Client(server) as client:
        assert client.h2.max_outbound_frame_size == announced
        refused = client.open("/refuse")
        client.h2.send_data(refused, bytes(min(announced, 65_000)))
        client.flush()
        assert client.wait(lambda: client.ended(refused))
        assert client.status(refused) == 401
