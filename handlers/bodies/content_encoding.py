"""The Content-Encoding of a request body: none is supported; RFC 9110, section 8.4."""

from starlette.datastructures import Headers

from handlers.errors import UnsupportedEncoding

_KNOWN = {
    "gzip": "gzip",
    "x-gzip": "gzip",
    "deflate": "deflate",
    "br": "Brotli (br)",
    "zstd": "Zstandard (zstd)",
    "compress": "compress",
    "x-compress": "compress",
}


def check_content_encoding(headers: Headers) -> None:
    """Check that the body is not compressed: the limit on its length is on what it becomes.

    Raises:
        UnsupportedEncoding: it is.

    """
    applied = ",".join(headers.getlist("content-encoding")).lower().split(",")
    codings = [coding for each in applied if (coding := each.strip()) not in {"", "identity"}]
    if codings:
        raise UnsupportedEncoding(_KNOWN.get(codings[0], "unknown"))
