"""Messages with descriptors over a socket pair."""

import os
import socket
from collections.abc import Iterator

import pytest

from model.workers import memfd
from model.workers.channel import Channel, ChannelError, close_all
from tests.model.processes import open_descriptors

Ends = tuple[socket.socket, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """Return both ends of a pair."""
    pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    yield pair
    for end in pair:
        end.close()


def test_a_message_arrives_with_its_file(ends: Ends) -> None:
    """The object and the memory file's content arrive; the sender may close its descriptor."""
    here, there = (Channel(end, max_descriptors=1) for end in ends)
    descriptor = memfd.sealed_copy("test", b"pixels")
    here.send({"width": 2, "text": "纯臻"}, descriptor)
    os.close(descriptor)
    assert there.readable()
    message, descriptors = there.receive()
    assert message == {"width": 2, "text": "纯臻"}
    assert memfd.read(descriptors[0], 6) == b"pixels"
    close_all(descriptors)
    assert not there.readable()


def test_a_closed_channel_is_readable_and_at_its_end(ends: Ends) -> None:
    """Receiving from it raises EOFError."""
    here, there = (Channel(end, max_descriptors=0) for end in ends)
    here.close()
    assert there.readable()
    with pytest.raises(EOFError):
        there.receive()


@pytest.mark.parametrize("data", [b"{", b"[]", b"\xff", b'{"a":"' + b"x" * 20_000 + b'"}'])
def test_what_is_no_message_raises_and_leaks_nothing(ends: Ends, data: bytes) -> None:
    """Corrupt or oversized JSON and other values raise, and their descriptor is closed."""
    descriptor = memfd.sealed_copy("test", b"")
    before = open_descriptors()
    socket.send_fds(ends[0], [data], [descriptor])
    with pytest.raises(ChannelError):
        Channel(ends[1], max_descriptors=0).receive()
    assert open_descriptors() == before
    os.close(descriptor)


def test_too_many_descriptors_are_an_error(ends: Ends) -> None:
    """A sender can't fill our descriptor table."""
    descriptor = memfd.sealed_copy("test", b"")
    before = open_descriptors()
    socket.send_fds(ends[0], [b"{}"], [descriptor] * 50)
    with pytest.raises(ChannelError):
        Channel(ends[1], max_descriptors=0).receive()
    assert open_descriptors() == before
    os.close(descriptor)


def test_bulk_data_is_refused_in_messages(ends: Ends) -> None:
    """It belongs in a memory file."""
    with pytest.raises(ValueError, match="memory file"):
        Channel(ends[0], max_descriptors=0).send({"pixels": "x" * 20_000})
