"""A compressed body is refused for what it is, before it is received."""

import pytest
from starlette.datastructures import Headers

from handlers.bodies.content_encoding import check_content_encoding
from handlers.errors import UnsupportedEncoding
from tests.handlers.echo import Caller, EchoReader


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ("gzip", "gzip"),
        ("X-GZip", "gzip"),
        ("deflate", "deflate"),
        ("br", "Brotli (br)"),
        ("zstd", "Zstandard (zstd)"),
        ("identity, gzip", "gzip"),
        ("gzip, br", "gzip"),
        ("hunter2", "unknown"),
    ],
)
def test_an_encoding_is_refused(value: str, named: str) -> None:
    """By a name from the service's own list, never as it was sent."""
    with pytest.raises(UnsupportedEncoding) as caught:
        check_content_encoding(Headers({"content-encoding": value}))
    assert caught.value.encoding == named


@pytest.mark.parametrize(
    "headers", [{}, {"content-encoding": ""}, {"content-encoding": "Identity"}]
)
def test_no_encoding_passes(headers: dict[str, str]) -> None:
    """Nor does identity, which is none."""
    check_content_encoding(Headers(headers))


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["image/png", "application/json", "multipart/form-data"])
async def test_a_body_with_an_encoding_is_not_received(kind: str) -> None:
    """No slot is taken and no byte read, whatever the media type."""
    reader = EchoReader()
    with pytest.raises(UnsupportedEncoding):
        await Caller(reader)(stalled=True, content_type=kind, content_encoding="gzip")
    assert (reader.entered.is_set(), reader.read) == (False, [])
