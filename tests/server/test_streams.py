"""HTTP/2 streams: too many, reset, incomplete, and the last of a connection."""

import h2.errors
import h2.events

from tests.server.clients import Client, settled_stats, stats
from tests.server.servers import Server, both, both_tight, soon


@both
def test_reset_cancels_its_handler_only(server: Server) -> None:
    """Resetting one stream cancels its handler at once, and no other."""
    before = settled_stats(server)
    with Client(server) as client:
        neighbour = client.open("/count")
        left = client.open("/unread", "GET", end=True)
        assert client.wait(lambda: stats(server)["started"] == before["started"] + 2)
        client.h2.reset_stream(left)
        client.flush()
        assert client.wait(
            lambda: stats(server)["cancelled"] == before["cancelled"] + 1, server.patience_s
        )
        assert not client.ended(neighbour)
        client.send(neighbour, b"x")
        assert client.wait(lambda: client.ended(neighbour))


@both
def test_rapid_reset_leaves_no_handler(server: Server) -> None:
    """Opening and resetting hundreds of streams leaves none of their handlers running."""
    before = settled_stats(server)["running"]
    with Client(server) as client:
        for _ in range(500):
            client.h2.reset_stream(client.open("/unread"))
            client.flush()
        assert client.wait(lambda: stats(server)["running"] == before, server.patience_s)


@both
def test_closed_connection_cancels_its_handlers(server: Server) -> None:
    """Handlers are cancelled when their client disconnects, body unread or response unsent."""
    before = settled_stats(server)["running"]
    with Client(server) as client:
        for _ in range(3):
            client.send(client.open("/unread"), bytes(300_000), patience_s=0.1)
        client.send(client.open("/endless"), b"", patience_s=0.1)
    assert soon(lambda: stats(server)["running"] == before, server.patience_s)


@both_tight
def test_streams_beyond_the_limit_are_refused_alone(server: Server) -> None:
    """With a limit of five the sixth stream gets REFUSED_STREAM; the five are answered (#335)."""
    with Client(server) as client:
        kept = [client.open("/count") for _ in range(5)]
        client.h2.remote_settings.max_concurrent_streams = 100
        client.h2.remote_settings.acknowledge()
        beyond = [client.open("/late?0.3", "GET", end=True) for _ in range(2)]
        client.wait(lambda: client.seen(h2.events.StreamReset, beyond[-1]), server.patience_s)
        for stream_id in kept:
            client.send(stream_id, b"x")
        client.wait(lambda: all(map(client.ended, kept)), server.patience_s)
        assert [client.status(stream_id) for stream_id in kept] == [200] * 5
        for stream_id in beyond:
            reset = client.seen(h2.events.StreamReset, stream_id)
            assert reset.error_code == h2.errors.ErrorCodes.REFUSED_STREAM
        assert client.get("/stats")


@both_tight
def test_last_request_of_a_connection_is_answered(server: Server) -> None:
    """After keep_alive_max_requests come the open responses, then a GOAWAY and the end."""
    with Client(server) as client:
        for _ in range(17):
            client.get("/stats")
        last = [client.open("/late?0.3", "GET", end=True) for _ in range(5)]
        client.wait(lambda: client.closed, 4)  # less than keep_alive_timeout
        assert [client.status(stream_id) for stream_id in last] == [200] * 5
        assert client.seen(h2.events.ConnectionTerminated).last_stream_id == last[-1]
        assert client.closed


@both
def test_an_incomplete_response_is_reset(server: Server) -> None:
    """A handler that stops in the middle of its response does not leave the client waiting."""
    with Client(server) as client:
        stream_id = client.open("/half", "GET", end=True)
        assert client.wait(lambda: client.seen(h2.events.StreamReset, stream_id), server.patience_s)


@both
def test_path_beyond_ascii_leaves_the_connection_usable(server: Server) -> None:
    """A path that isn't ASCII is its own stream's error."""
    with Client(server) as client:
        other = client.open("/late?0.3", "GET", end=True)
        client.open("/\u00e9", "GET", end=True)
        assert client.wait(lambda: client.ended(other), server.patience_s)
