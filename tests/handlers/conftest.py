"""Request bodies."""

from collections.abc import Callable, Sequence

import pytest

from tests.handlers.echo import Caller, EchoReader

BOUNDARY = "b0undary"
Part = tuple[str, bytes]
Multipart = Callable[..., bytes]


@pytest.fixture
def multipart() -> Multipart:
    """Return a function that builds a multipart body of file parts."""

    def build(parts: Sequence[Part], *, end: bytes = b"--\r\n", filename: str = "x.png") -> bytes:
        pieces = [
            b'--%b\r\nContent-Disposition: form-data; name="%b"; filename="%b"\r\n'
            b"Content-Type: image/png\r\n\r\n%b\r\n"
            % (BOUNDARY.encode(), name.encode(), filename.encode(), content)
            for name, content in parts
        ]
        return b"".join(pieces) + b"--" + BOUNDARY.encode() + end

    return build


@pytest.fixture
def reader() -> EchoReader:
    """Return such a reader."""
    return EchoReader()


@pytest.fixture
def post(reader: EchoReader) -> Caller:
    """Return a client of the function."""
    return Caller(reader)
