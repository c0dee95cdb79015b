"""Messages with descriptors over a pair of sockets."""

import os
import socket
from collections.abc import Iterator

import pytest

from model.workers import memfd
from model.workers.channel import Channel, ChannelError, close_all
from tests.model.processes import open_descriptors


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Return both ends of a pair."""
    pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    yield pair
    for end in pair:
        end.close()


def test_a_message_brings_its_file(ends: tuple[socket.socket, socket.socket]) -> None:
    """The object and the content of the memory file arrive; the sender may close its own."""
    here, there = (Channel(end, descriptors=1) for end in ends)
    descriptor = memfd.copy("test", b"pixels")
    here.send({"width": 2, "text": "纯臻"}, descriptor)
    os.close(descriptor)
    assert there.pending()
    message, descriptors = there.receive()
    assert message == {"width": 2, "text": "纯臻"}
    assert memfd.read(descriptors[0], 6) == b"pixels"
    close_all(descriptors)
    assert not there.pending()


def test_the_other_ends_departure_is_told(ends: tuple[socket.socket, socket.socket]) -> None:
    """A closed channel is pending, and receiving from it raises EOFError."""
    here, there = map(Channel, ends)
    here.close()
    assert there.pending()
    with pytest.raises(EOFError):
        there.receive()


@pytest.mark.parametrize("data", [b"{", b"[]", b"\xff", b'{"a":"' + b"x" * 20_000 + b'"}'])
def test_what_is_no_message_is_an_error_and_leaks_nothing(
    ends: tuple[socket.socket, socket.socket], data: bytes
) -> None:
    """Broken, oversized or non-object JSON raises, and its descriptor is closed."""
    descriptor = memfd.copy("test", b"")
    before = open_descriptors()
    socket.send_fds(ends[0], [data], [descriptor])
    with pytest.raises(ChannelError):
        Channel(ends[1]).receive()
    assert open_descriptors() == before
    os.close(descriptor)


def test_more_descriptors_than_a_message_has_are_refused(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    """A sender cannot fill our descriptor table."""
    descriptor = memfd.copy("test", b"")
    before = open_descriptors()
    socket.send_fds(ends[0], [b"{}"], [descriptor] * 50)
    with pytest.raises(ChannelError):
        Channel(ends[1]).receive()
    assert open_descriptors() == before
    os.close(descriptor)


def test_bulk_data_is_kept_out_of_messages(ends: tuple[socket.socket, socket.socket]) -> None:
    """A sender that forgets the memory file is told so at once."""
    with pytest.raises(ValueError, match="memory files"):
        Channel(ends[0]).send({"pixels": "x" * 20_000})
