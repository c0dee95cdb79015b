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
        assert sealed.is_sealed(descriptor)
        assert sealed.size_bytes(descriptor) == len(data)
        assert sealed.read(descriptor, len(data)) == data
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


def test_unsealed_or_oversized_files_are_refused() -> None:
    """A receiver reads neither a file that may change nor one that is too long."""
    descriptor = sealed.create("test")
    try:
        sealed.write(descriptor, b"draft")
        assert not sealed.is_sealed(descriptor)
        with pytest.raises(ValueError, match="sealed"):
            sealed.read(descriptor, 5)
        sealed.seal(descriptor)
        with pytest.raises(ValueError, match="4 bytes"):
            sealed.read(descriptor, 4)
        assert sealed.read(descriptor, 5) == b"draft"
    finally:
        os.close(descriptor)


def test_a_pipe_is_not_sealed() -> None:
    """Any other descriptor is just not sealed."""
    ends = os.pipe()
    try:
        assert not sealed.is_sealed(ends[0])
    finally:
        for end in ends:
            os.close(end)
