"""Memory files and their seals."""

import fcntl
import mmap
import os

import pytest

from model.workers import memfd


def test_a_sealed_copy_reads_back() -> None:
    """All of the data comes back, and no more than there is."""
    data = os.urandom(3_000_000)
    descriptor = memfd.sealed_copy("test", data)
    try:
        assert memfd.read(descriptor, len(data)) == data
        with pytest.raises(ValueError, match="3000000 bytes, not 3000001"):
            memfd.read(descriptor, len(data) + 1)
    finally:
        os.close(descriptor)


def test_a_sealed_copy_can_t_be_changed() -> None:
    """Writing, growing, shrinking and mapping for writing all fail."""
    descriptor = memfd.sealed_copy("test", b"final")
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


def test_an_output_buffer_can_t_grow() -> None:
    """It can be written to its end, not beyond, and not enlarged."""
    descriptor = memfd.output_buffer("test", 8192)
    try:
        assert memfd.write(descriptor, b"x" * 8192) == 8192
        with pytest.raises(PermissionError):
            os.pwrite(descriptor, b"y", 8192)
        with pytest.raises(PermissionError):
            os.ftruncate(descriptor, 8193)
    finally:
        os.close(descriptor)


def test_a_sealed_output_buffer_is_truncated_and_can_t_be_changed() -> None:
    """The content stays, the rest goes, and writing fails."""
    descriptor = memfd.output_buffer("test", 8192)
    try:
        memfd.write(descriptor, b"content")
        memfd.truncate_and_seal(descriptor, 7)
        assert os.fstat(descriptor).st_size == 7
        with pytest.raises(PermissionError):
            os.pwrite(descriptor, b"C", 0)
        with pytest.raises(PermissionError):
            mmap.mmap(descriptor, 7)
    finally:
        os.close(descriptor)


def test_a_buffer_is_sealed_while_the_kernel_holds_a_page() -> None:
    """As it does for moments on a busy machine. Control: F_SEAL_WRITE waits for it, and fails."""
    reading, writing = os.pipe()
    outputs = [memfd.output_buffer("test", 8192) for _ in range(2)]
    try:
        for output in outputs:
            memfd.write(output, b"content")
            assert os.splice(output, writing, 7, offset_src=0) == 7  # the pipe holds the page
        with pytest.raises(OSError, match="busy"):
            fcntl.fcntl(outputs[0], fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)
        memfd.truncate_and_seal(outputs[1], 7)
        assert memfd.read(outputs[1], 7) == b"content"
    finally:
        for descriptor in (*outputs, reading, writing):
            os.close(descriptor)


def test_a_buffer_that_was_made_smaller_is_detected() -> None:
    """A child that truncated its buffer can't claim that it filled it."""
    descriptor = memfd.output_buffer("test", 8192)
    try:
        os.ftruncate(descriptor, 6)
        with pytest.raises(PermissionError):
            memfd.truncate_and_seal(descriptor, 7)
    finally:
        os.close(descriptor)
