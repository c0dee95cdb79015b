"""Memory files that can no longer change."""

import mmap
import os

import pytest

from model import sealed


def test_a_sealed_copy_reads_back() -> None:
    """What was put in comes out, whole."""
    data = os.urandom(3_000_000)
    descriptor = sealed.copy("test", data)
    try:
        assert sealed.read(descriptor, len(data)) == data
        with pytest.raises(ValueError, match="3000000 bytes, not 3000001"):
            sealed.read(descriptor, len(data) + 1)
    finally:
        os.close(descriptor)


def test_nobody_can_change_it() -> None:
    """Writing, growing, shrinking and mapping for writing all fail."""
    descriptor = sealed.copy("test", b"final")
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
    descriptor = sealed.room("test", 8192)
    try:
        assert sealed.fill(descriptor, b"x" * 8192) == 8192
        with pytest.raises(PermissionError):
            os.pwrite(descriptor, b"y", 8192)
        with pytest.raises(PermissionError):
            os.ftruncate(descriptor, 8193)
    finally:
        os.close(descriptor)


def test_a_closed_room_is_cut_and_final() -> None:
    """The content stays, the rest goes, and nobody can change it any more."""
    descriptor = sealed.room("test", 8192)
    try:
        sealed.fill(descriptor, b"content")
        sealed.close_room(descriptor, 7)
        assert os.fstat(descriptor).st_size == 7
        with pytest.raises(PermissionError):
            os.pwrite(descriptor, b"C", 0)
    finally:
        os.close(descriptor)


def test_a_room_that_is_still_mapped_is_not_closed() -> None:
    """The kernel itself tells that somebody could still write."""
    descriptor = sealed.room("test", 8192)
    try:
        with mmap.mmap(descriptor, 8192), pytest.raises(OSError, match="busy"):
            sealed.close_room(descriptor, 7)
    finally:
        os.close(descriptor)


def test_a_room_made_smaller_is_noticed() -> None:
    """A child that cut its room cannot claim to have filled it."""
    descriptor = sealed.room("test", 8192)
    try:
        os.ftruncate(descriptor, 6)
        with pytest.raises(PermissionError):
            sealed.close_room(descriptor, 7)
    finally:
        os.close(descriptor)
