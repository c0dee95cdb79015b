"""Memory files that can no longer change."""

import fcntl
import mmap
import os

import pytest

from model.workers import memfd


def test_a_sealed_copy_reads_back() -> None:
    """What was put in comes out, whole."""
    data = os.urandom(3_000_000)
    descriptor = memfd.copy("test", data)
    try:
        assert memfd.read(descriptor, len(data)) == data
        with pytest.raises(ValueError, match="3000000 bytes, not 3000001"):
            memfd.read(descriptor, len(data) + 1)
    finally:
        os.close(descriptor)


def test_nobody_can_change_it() -> None:
    """Writing, growing, shrinking and mapping for writing all fail."""
    descriptor = memfd.copy("test", b"final")
    try:
        with pytest.raises(PermissionError):
            os.pwrite(descriptor, b"F", 0)
        for length in (0, 100):
            with pytest.raises(PermissionError):
                os.ftruncate(descriptor, length)
        with pytest.raises(PermissionError):
            mmap.mmap(descriptor, 5)
    finally:
        os.close(descriptor)


def test_a_room_cannot_grow() -> None:
    """What fills it can write up to its end and not beyond, and not make it larger."""
    descriptor = memfd.room("test", 8192)
    try:
        assert memfd.fill(descriptor, b"x" * 8192) == 8192
        with pytest.raises(PermissionError):
            os.pwrite(descriptor, b"y", 8192)
        with pytest.raises(PermissionError):
            os.ftruncate(descriptor, 8193)
    finally:
        os.close(descriptor)


def test_a_closed_room_is_cut_and_final() -> None:
    """The content stays, the rest goes, and nobody can change it any more."""
    descriptor = memfd.room("test", 8192)
    try:
        memfd.fill(descriptor, b"content")
        memfd.close_room(descriptor, 7)
        assert os.fstat(descriptor).st_size == 7
        with pytest.raises(PermissionError):
            os.pwrite(descriptor, b"C", 0)
        with pytest.raises(PermissionError):
            mmap.mmap(descriptor, 7)
    finally:
        os.close(descriptor)


def test_a_room_is_closed_though_the_kernel_holds_a_page() -> None:
    """As it does for moments on a busy machine; F_SEAL_WRITE waits, and then fails: the control."""
    reading, writing = os.pipe()
    rooms = [memfd.room("test", 8192) for _ in range(2)]
    try:
        for room in rooms:
            memfd.fill(room, b"content")
            assert os.splice(room, writing, 7, offset_src=0) == 7  # the pipe holds the page itself
        with pytest.raises(OSError, match="busy"):
            fcntl.fcntl(rooms[0], fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)
        memfd.close_room(rooms[1], 7)
        assert memfd.read(rooms[1], 7) == b"content"
    finally:
        for descriptor in (*rooms, reading, writing):
            os.close(descriptor)


def test_a_room_made_smaller_is_noticed() -> None:
    """A child that cut its room cannot claim to have filled it."""
    descriptor = memfd.room("test", 8192)
    try:
        os.ftruncate(descriptor, 6)
        with pytest.raises(PermissionError):
            memfd.close_room(descriptor, 7)
    finally:
        os.close(descriptor)
