"""Bodies as the clients of others send them."""

import base64
import json

import httpx2
import pytest

from tests.handlers.test_uploads import body_from

pytestmark = pytest.mark.anyio

IMAGE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 2
FORM = "multipart/form-data; boundary=XX"
STANDARD = base64.b64encode(IMAGE)
URL_SAFE = base64.urlsafe_b64encode(IMAGE)


def _part(headers: bytes, content: bytes = IMAGE) -> bytes:
    return b"--XX\r\n" + headers + b"\r\n\r\n" + content + b"\r\n"


NAME = b'Content-Disposition: form-data; name="image"'


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(NAME + b'; filename="a.png"\r\nContent-Type: image/png', id="curl"),
        pytest.param(NAME + b"; filename*=utf-8''%E7%A5%A8.png", id="urllib3-1"),
        pytest.param(NAME + b"; FileName*=UTF-8''x\r\nContent-Type: image/png", id="case"),
        pytest.param(
            NAME + b"; filename*0*=utf-8''%E7; filename*1*=%A5%A8.png", id="continuations"
        ),
        pytest.param(NAME + b"\r\nContent-Type: image/png", id="go-create-part"),
        pytest.param(b"Content-Type: image/png\r\n" + NAME, id="okhttp-order"),
        pytest.param(
            NAME + b"\r\nContent-Type: image/png\r\nContent-Length: 520", id="okhttp-length"
        ),
        pytest.param(
            NAME + b"\r\nContent-Type: application/octet-stream"
            b"\r\nContent-Transfer-Encoding: binary",
            id="java-http-client",
        ),
        pytest.param(NAME + b"\r\nContent-Type: application/pdf", id="pdf"),
        pytest.param(b"content-disposition: form-data; name=image; filename=a.png", id="unquoted"),
        pytest.param(NAME.replace(b"image", b"file") + b'; filename="\xe7\xa5\xa8"', id="browser"),
        pytest.param(NAME + b'; filename="blob"\r\nContent-Type: image/png', id="javascript-blob"),
        pytest.param(NAME + b'; filename=""\r\nContent-Type: image/png', id="blank-name"),
    ],
)
@pytest.mark.parametrize("before", [b"", b"preamble\r\n", b"\r\n", b"- --X\r\n--Y\r\n"])
async def test_a_part_is_a_file(headers: bytes, before: bytes) -> None:
    """By its file name in any form, or by its media type; with or without a preamble."""
    for chunk in (1, 5, 65_536):
        found = await body_from(FORM, before + _part(headers) + b"--XX--\r\n", chunk=chunk)
        assert found.images == [IMAGE]
        assert found.parameters == []


async def test_httpx_sends_a_form() -> None:
    """Its encoding of files and fields; the fields are parameters."""
    request = httpx2.Request(
        "POST",
        "https://localhost",
        data={"pages": "1-3", "partial": "true"},
        files=[("image", ("\u7968.png", IMAGE)), ("file", ("b.pdf", b"%PDF", "application/pdf"))],
    )
    found = await body_from(request.headers["content-type"], request.read())
    assert found.images == [IMAGE, b"%PDF"]
    assert found.parameters == [("pages", "1-3"), ("partial", "true")]


async def test_an_unused_file_input_is_no_image() -> None:
    """A browser sends it with a blank name and without content."""
    unused = _part(NAME + b'; filename=""\r\nContent-Type: application/octet-stream', b"")
    used = _part(NAME + b'; filename="a.png"')
    found = await body_from(FORM, unused + used + unused + b"--XX--\r\n")
    assert found.images == [IMAGE]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(STANDARD, id="standard"),
        pytest.param(STANDARD.rstrip(b"="), id="no-padding"),
        pytest.param(URL_SAFE, id="url-safe"),
        pytest.param(URL_SAFE.rstrip(b"="), id="url-safe-no-padding"),
        pytest.param(base64.encodebytes(IMAGE), id="bare-line-breaks"),
        pytest.param(base64.encodebytes(IMAGE).replace(b"\n", b"\\n"), id="line-breaks"),
        pytest.param(base64.encodebytes(IMAGE).replace(b"\n", b"\\r\\n"), id="crlf"),
        pytest.param(STANDARD.replace(b"/", b"\\/"), id="php"),
        pytest.param(STANDARD.replace(b"=", b"\\u003d"), id="gson"),
        pytest.param(STANDARD.replace(b"+", b"\\u002B"), id="dotnet"),
        pytest.param(b"data:image\\/png;base64," + STANDARD.replace(b"/", b"\\/"), id="php-url"),
        pytest.param(b"data:image/png;base64," + URL_SAFE, id="data-url"),
        pytest.param(b"data:image/png;name=a.png;base64," + STANDARD, id="data-url-parameters"),
        pytest.param(b"\\n data:image/png;base64,\\n" + STANDARD, id="data-url-white-space"),
    ],
)
@pytest.mark.parametrize("around", [(b'{"image": "', b'"}'), (b'{"images": ["', b'"]}\n')])
async def test_base64_as_it_is_written(text: bytes, around: tuple[bytes, bytes]) -> None:
    """Either alphabet, padded or not, wrapped, escaped, with a data: prefix."""
    found = await body_from("application/json", around[0] + text + around[1])
    assert found.images == [IMAGE]


@pytest.mark.parametrize("size", [0, 1, 2, 3, 65_534, 65_535, 65_536, 65_537, 200_000])
@pytest.mark.parametrize("escape", [b"/", b"+", b"A"])
async def test_base64_is_decoded_in_pieces(size: int, escape: bytes) -> None:
    """Whatever lies on the edge of a piece: an escape, a line break, the end."""
    image = (bytes(range(256)) * (size // 256 + 1))[:size] + b"\xff\xfb\xef"
    text = base64.b64encode(image)
    for wrapped in (text, text[:65_533] + b"\n" + text[65_533:]):
        written = wrapped.replace(escape, b"\\u%04x" % escape[0]).replace(b"\n", b"\\n")
        found = await body_from("application/json", b'{"image": "' + written + b'"}')
        assert found.images == [image]


async def test_json_with_parameters_and_nulls() -> None:
    """A parameter is a string, a number or a boolean; null is the same as absent."""
    document = {"images": None, "detect": False, "image": "QUJD", "pages": 3, "partial": "true"}
    found = await body_from("application/json", json.dumps(document).encode())
    assert found.images == [b"ABC"]
    assert found.parameters == [("detect", "false"), ("pages", "3"), ("partial", "true")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
async def test_json_in_any_encoding(encoding: str) -> None:
    """With or without a byte order mark, longer than a piece."""
    text = base64.b64encode(IMAGE * 500).decode()
    found = await body_from("application/json", f'{{"image": "{text}"}}'.encode(encoding))
    assert found.images == [IMAGE * 500]
