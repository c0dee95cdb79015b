"""Control frames are counted, and a flood of them ends the connection."""

import struct
from functools import partial

import h2.events
import pytest
from h2.errors import ErrorCodes
from hypothesis import given
from hypothesis import strategies as st

from server.flood_guard import (
    FRAMES_PER_ITERATION,
    FREE_FRAMES,
    REQUEST_WEIGHT,
    FrameBudget,
    ProtocolAbuse,
)
from tests.server.clients import Client
from tests.server.servers import Server, both
from tests.system.attacks.wire import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PING,
    PREFACE,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    frame,
)

FLOODS = {
    "ping": frame(PING, payload=bytes(8)),
    "settings": frame(SETTINGS, payload=struct.pack(">HI", 3, 7)),
    "window_update": frame(WINDOW_UPDATE, payload=struct.pack(">I", 1)),
    "priority": frame(PRIORITY, 0, 5, struct.pack(">IB", 1, 7)),
    "unknown": frame(0xFA, payload=b"grease"),
    "empty DATA frames": frame(DATA, 0, 1),
    "tiny DATA frames": frame(DATA, 0, 1, b"a"),
}
HEAD = frame(HEADERS, END_HEADERS | END_STREAM, 1, bytes(20))


@both
@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_ends_the_connection(server: Server, kind: str) -> None:
    """A client that sends thousands is disconnected with ENHANCE_YOUR_CALM."""
    with Client(server) as client:
        client.open("/unread")
        client.socket.sendall(FLOODS[kind] * 3000)
        client.wait(lambda: client.seen(h2.events.ConnectionTerminated), server.patience_s)
        goaway = client.seen(h2.events.ConnectionTerminated)
        assert goaway is not None
        assert goaway.error_code is ErrorCodes.ENHANCE_YOUR_CALM


@both
def test_resets_by_the_server_are_counted(server: Server) -> None:
    """Requests that make the server reset them count like those that the client resets."""
    with Client(server) as client:
        for _ in range(500):
            stream = client.open("/late?0")
            client.socket.sendall(frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", 2**31 - 1)))
            client.wait(partial(client.seen, h2.events.StreamReset, stream), 1)
            if client.closed or client.seen(h2.events.ConnectionTerminated):
                break
        goaway = client.seen(h2.events.ConnectionTerminated)
        assert goaway is not None
        assert goaway.error_code is ErrorCodes.ENHANCE_YOUR_CALM


@both
def test_a_long_header_block_ends_the_connection(server: Server) -> None:
    """A header block over the limit is refused before its end; stock buffers four megabytes."""
    with Client(server) as client:
        client.socket.sendall(frame(HEADERS, 0, 1, bytes(16_000)))
        client.socket.sendall(frame(CONTINUATION, 0, 1, bytes(16_000)) * 20)
        client.wait(lambda: client.seen(h2.events.ConnectionTerminated), server.patience_s)
        goaway = client.seen(h2.events.ConnectionTerminated)
        assert goaway is not None
        assert goaway.error_code is ErrorCodes.ENHANCE_YOUR_CALM


def test_requests_are_not_a_flood(hardened: Server) -> None:
    """Hundreds of requests, each with the frames that usually come with one, are served."""
    with Client(hardened) as client:
        for _ in range(900):  # of the thousand that a connection may make
            client.h2.ping(bytes(8))
            client.get("/late?0")
            client.events.clear()
        assert not client.closed


def test_priorities_are_ignored(hardened: Server) -> None:
    """A slowly built tree of more streams than stock can hold has no effect."""
    with Client(hardened) as client:
        for start in range(3, 1200, 200):
            for number in range(start, start + 200, 2):
                payload = struct.pack(">IB", number - 2, 7)
                client.socket.sendall(frame(PRIORITY, 0, number, payload))
            client.wait(lambda: False, 0.05)
        assert client.get("/late?0") == b"0"
    assert not [line for line in hardened.lines if "Traceback" in line], "\n".join(hardened.lines)


@given(
    st.lists(st.tuples(st.sampled_from([DATA, HEADERS, PING]), st.integers(0, 300)), max_size=60),
    st.lists(st.integers(1, 400), min_size=1, max_size=20),
)
def test_nothing_is_lost_between_pieces(kinds: list[tuple[int, int]], cuts: list[int]) -> None:
    """However the bytes arrive, they are yielded once and in order."""
    budget = FrameBudget(10_000, 10_000)
    data = PREFACE + b"".join(frame(kind, 0, 1, bytes(size)) for kind, size in kinds)
    out, at, number = b"", 0, 0
    while at < len(data):
        size = cuts[number % len(cuts)]
        out += b"".join(budget.split(data[at : at + size]))
        at, number = at + size, number + 1
    assert out == data


def test_a_piece_is_a_few_frames() -> None:
    """A read full of requests is split into pieces of a few."""
    budget = FrameBudget(100, 10_000)
    list(budget.split(PREFACE))
    pieces = list(budget.split(HEAD * 100))
    assert {len(piece) // len(HEAD) for piece in pieces} == {FRAMES_PER_ITERATION // REQUEST_WEIGHT}
    assert len(list(budget.split(frame(DATA, 0, 1, bytes(16_000)) * 4))) == 1


def test_resets_cost_more_than_requests_earn() -> None:
    """A request that is reset consumes budget, a request that is answered does not."""
    budget = FrameBudget(10, 10_000)
    list(budget.split(PREFACE))
    list(budget.split(HEAD * 1000))
    with pytest.raises(ProtocolAbuse):
        list(budget.split((HEAD + frame(RST_STREAM, 0, 1, bytes(4))) * 100))


def test_a_reset_after_the_response_costs_little() -> None:
    """It saves no work: a client may reset every upload that is refused early."""
    budget = FrameBudget(10, 10_000, is_answered=lambda stream_id: stream_id == 1)
    list(budget.split(PREFACE))
    list(budget.split((HEAD + frame(RST_STREAM, 0, 1, bytes(4))) * 1000))
    with pytest.raises(ProtocolAbuse):
        list(budget.split((HEAD + frame(RST_STREAM, 0, 3, bytes(4))) * 100))


def test_refused_uploads_may_be_reset(hardened: Server) -> None:
    """Hundreds of uploads that are refused early, and reset by their client, are all answered."""
    with Client(hardened) as client:
        for _ in range(300):
            stream = client.open("/refuse")
            assert client.wait(lambda stream=stream: client.ended(stream))
            client.h2.reset_stream(stream, ErrorCodes.CANCEL)
            client.flush()
            client.events.clear()
        assert client.get("/late?0") == b"0"


def test_a_subnet_pays_only_for_what_no_request_earns() -> None:
    """Connections that send little consume nothing of what their subnet shares."""
    drawn: list[float] = []

    def draw(frames: float) -> float:
        drawn.append(frames)
        return frames

    opening = PREFACE + frame(SETTINGS) + frame(SETTINGS, 1) + FLOODS["window_update"]
    for _ in range(100):
        list(FrameBudget(100, 16_384, draw).split(opening + HEAD))
    assert sum(drawn) == 0
    list(FrameBudget(100, 16_384, draw).split(PREFACE + FLOODS["ping"] * 50))
    assert sum(drawn) == 50 - FREE_FRAMES
    with pytest.raises(ProtocolAbuse):
        list(
            FrameBudget(100, 16_384, lambda _: 0).split(
                PREFACE + FLOODS["ping"] * (FREE_FRAMES + 1)
            )
        )
