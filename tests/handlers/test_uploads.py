"""The images of a request body, in each form, without a file on disk."""

import base64
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.types import Message

from handlers.bodies.body import Body
from handlers.bodies.body_errors import NotBase64
from handlers.bodies.multipart import MAX_FIELD_BYTES
from handlers.bodies.uploads import body_of, media_type_of
from handlers.errors import (
    MalformedBody,
    RequestError,
    TooManyImages,
    UnknownParameter,
    UnsupportedBody,
)
from handlers.parameters import NAMES
from tests.asgi import scope_of
from tests.handlers.conftest import BOUNDARY, Multipart

pytestmark = pytest.mark.anyio

FORM = f"multipart/form-data; boundary={BOUNDARY}"
IMAGE = bytes(range(256)) * 2
ENCODED = base64.b64encode(IMAGE).decode()
LARGE = b"x" * 3_000_000


def _request(content_type: str | None, body: bytes, *, chunk: int = 65_536) -> Request:
    headers = [] if content_type is None else [("content-type", content_type)]
    starts = range(0, max(1, len(body)), chunk)
    messages: Iterator[Message] = iter(
        {
            "type": "http.request",
            "body": body[start : start + chunk],
            "more_body": start + chunk < len(body),
        }
        for start in starts
    )

    async def receive() -> Message:
        return next(messages)

    return Request(scope_of("POST", "/ocr", headers=headers), receive)


async def body_from(
    content_type: str | None, body: bytes, *, max_images: int = 3, chunk: int = 65_536
) -> Body:
    """Return what is found in a body that arrives in chunks."""
    request = _request(content_type, body, chunk=chunk)
    return await body_of(request, media_type_of(request), max_images=max_images)


async def _images(
    content_type: str | None, body: bytes, *, max_images: int = 3, chunk: int = 65_536
) -> list[bytes]:
    found = await body_from(content_type, body, max_images=max_images, chunk=chunk)
    for image in found.images:
        if isinstance(image, MalformedBody):
            raise image
    return [image for image in found.images if isinstance(image, bytes)]


@pytest.mark.parametrize("chunk", [1, 7, 65_536])
@pytest.mark.parametrize("names", [["image"], ["file"], ["image", "file", "image"]])
async def test_multipart(names: list[str], chunk: int, multipart: Multipart) -> None:
    """One part or several, with either name, in order, whatever the size of the chunks."""
    parts = [(name, IMAGE + bytes([number])) for number, name in enumerate(names)]
    assert await _images(FORM, multipart(parts), chunk=chunk) == [content for _, content in parts]


@pytest.mark.parametrize("end", [b"--", b"--\r\n", b"--\r\nepilogue"])
async def test_a_multipart_body_may_have_an_epilogue(end: bytes, multipart: Multipart) -> None:
    """The text after the closing boundary is ignored: RFC 2046, section 5.1.1."""
    assert await _images(FORM, multipart([("image", IMAGE)], end=end)) == [IMAGE]


@pytest.mark.parametrize(
    "kind", ["image/png", "IMAGE/PNG", "image/x; a=b", "application/octet-stream"]
)
async def test_a_raw_body_is_the_image(kind: str) -> None:
    """Its format is detected later, from the content."""
    assert await _images(kind, IMAGE) == [IMAGE]


@pytest.mark.parametrize(
    "text",
    [
        ENCODED,
        f"data:image/png;base64,{ENCODED}",
        f"data:;base64,{ENCODED}",
        base64.encodebytes(IMAGE).decode(),
        base64.encodebytes(IMAGE).decode().replace("\n", "\r\n"),
        f"  data:image/png;base64,{ENCODED}"[2:] + "\n ",
    ],
)
@pytest.mark.parametrize("several", [False, True])
async def test_json(text: str, *, several: bool) -> None:
    """Base64 with or without a data: prefix and line breaks, one image or a list."""
    document = {"images": [text, text]} if several else {"image": text}
    assert await _images("application/json", json.dumps(document).encode()) == (
        [IMAGE, IMAGE] if several else [IMAGE]
    )


async def test_json_in_utf16() -> None:
    """The encoding is detected."""
    body = json.dumps({"image": ENCODED}).encode("utf-16")
    assert await _images("application/json; charset=utf-16", body) == [IMAGE]


@pytest.mark.parametrize(
    "kind", [None, "", "text/plain", "text/html", "application/x-www-form-urlencoded",
             "multipart/mixed; boundary=x", "images/png", "application/zip", "*/*"],
)  # fmt: skip
async def test_other_media_types_are_unsupported(kind: str | None) -> None:
    """They are rejected before the body is read."""
    with pytest.raises(UnsupportedBody):
        media_type_of(_request(kind, b""))


@pytest.mark.parametrize(
    ("kind", "declared"),
    [("application/zip", "zip"), ("Text/RTF; charset=x", "rtf"), ("text/plain", None)],
)
async def test_the_media_type_of_another_format_is_named(kind: str, declared: str | None) -> None:
    """If it is a known one; text/plain is what some clients send for anything."""
    with pytest.raises(UnsupportedBody) as caught:
        media_type_of(_request(kind, b""))
    assert caught.value.declared == declared


DEEP = b"[" * 100_000


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"null", b"[]", b"3", b'"x"', b"{}", b"\xff", DEEP, b'{"image": ' + DEEP,
        b'{"image": null}', b'{"image": 3}', b'{"image": ""}', b'{"image": "?"}',
        b'{"image": "QUJDR"}', b'{"image": "QUJD\xc3\xa9"}', b'{"image": "\\ud800"}',
        b'{"image": "data:image/png;base64"}', b'{"image": "data:image/png;base64,"}',
        b'{"image": ["QUJD"]}', b'{"image": "QUJD", "other": 1}', b'{"imag": "QUJD"}',
        b'{"images": "QUJD"}', b'{"images": {"QUJD": 1}}', b'{"images": 3}', b'{"images": null}',
        b'{"images": []}', b'{"images": ["QUJD", ""]}', b'{"images": [["QUJD"]]}',
        b'{"image": ' + b"9" * 5000 + b"}",
    ],
    ids=lambda body: repr(body[:40]),
)  # fmt: skip
async def test_json_without_an_image_is_malformed(body: bytes) -> None:
    """Wrong syntax, types, names, base64 or depth."""
    with pytest.raises(MalformedBody):
        await _images("application/json", body)


@pytest.mark.parametrize("space", ["\f", "\v", "\f\f\f\f", "\u00a0"])
async def test_white_space_in_base64_is_json_s_alone(space: str) -> None:
    """Regular expressions know more; the place is that of the first such character."""
    text = ENCODED[:4] + space + ENCODED[4:]
    with pytest.raises(NotBase64) as caught:
        await _images("application/json", json.dumps({"image": text}).encode())
    assert caught.value.position == 5


HEAD = b'--b\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\n'


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", HEAD + b"x\r\n--b--"),
        ("multipart/form-data; boundary=", HEAD + b"x\r\n--b--"),
        ("multipart/form-data; boundary=" + "b" * 300, b""),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"nonsense"),
        ("multipart/form-data; boundary=b", b"--b--"),
        ("multipart/form-data; boundary=b", HEAD),
        ("multipart/form-data; boundary=b", HEAD + b"x"),
        ("multipart/form-data; boundary=b", HEAD + b"x\r\n--b"),
        ("multipart/form-data; boundary=b", HEAD + b"x\r\n--b\r\n"),
        ("multipart/form-data; boundary=b", HEAD + b"x\r\n" + HEAD + b"cut off"),
        ("multipart/form-data; boundary=c", HEAD + b"x\r\n--b--"),
        ("multipart/form-data; boundary=b", HEAD + b"\r\n--b--"),
        ("multipart/form-data; boundary=b", HEAD.replace(b"form-data; ", b"") + b"x\r\n--b--"),
        ("multipart/form-data; boundary=b", HEAD.replace(b"name=", b"nam=") + b"x\r\n--b--"),
        ("multipart/form-data; boundary=b", HEAD.replace(b"image", b"other") + b"x\r\n--b--"),
        ("multipart/form-data; boundary=b", HEAD.replace(b"; filename", b"; y") + b"x\r\n--b--"),
        ("multipart/form-data; boundary=b", HEAD.replace(b"Content-", b"Cont\0") + b"x\r\n--b--"),
        ("multipart/form-data; boundary=b", HEAD.replace(b"x", b"x" * 9999) + b"x\r\n--b--"),
    ],
)  # fmt: skip
async def test_multipart_without_an_image_is_malformed(kind: str, body: bytes) -> None:
    """Truncated, or without boundary, name, file name or content."""
    with pytest.raises(MalformedBody):
        await _images(kind, body)


@pytest.mark.parametrize("kind", ["image/png", "application/octet-stream"])
async def test_an_empty_body_is_malformed(kind: str) -> None:
    """It has no image."""
    with pytest.raises(MalformedBody):
        await _images(kind, b"")


FIELD = b'--b\r\nContent-Disposition: form-data; name="pages"\r\n\r\n'


@pytest.mark.parametrize(("fields", "length"), [(len(NAMES) + 1, 1), (1, MAX_FIELD_BYTES + 1)])
async def test_fields_are_bounded_in_number_and_size(fields: int, length: int) -> None:
    """Of 1 KiB each, and no more than there are parameters; one of each is checked later."""
    kind = "multipart/form-data; boundary=b"
    body = HEAD + b"x\r\n" + (FIELD + b"y" * length + b"\r\n") * fields + b"--b--"
    with pytest.raises(UnknownParameter):
        await _images(kind, body)
    some = min(fields, len(NAMES))
    body = HEAD + b"x\r\n" + (FIELD + b"y" * (length // 2) + b"\r\n") * some + b"--b--"
    assert await _images(kind, body) == [b"x"]


@pytest.mark.parametrize(("others", "error"), [(1, MalformedBody), (4, TooManyImages)])
async def test_other_files_are_refused(
    others: int, error: type[Exception], multipart: Multipart
) -> None:
    """They were probably meant to be read; only so many are counted."""
    body = multipart([("image", IMAGE)] * 3 + [("other", b"x")] * others)
    with pytest.raises(error):
        await _images(FORM, body, max_images=3)


@pytest.mark.parametrize("headers", [9, 5000], ids=["many", "long"])
async def test_part_headers_are_bounded(headers: int) -> None:
    """More headers than eight, or a longer one than 4 KiB, make the body malformed."""
    extra = b"X: y\r\n" * headers if headers < 100 else b"X: " + b"y" * headers + b"\r\n"
    with pytest.raises(MalformedBody):
        await _images("multipart/form-data; boundary=b", HEAD[:-2] + extra + b"\r\nx\r\n--b--")
    ok = HEAD[:-2] + b"X: y\r\n" * 7 + b"\r\nx\r\n--b--"
    assert await _images("multipart/form-data; boundary=b", ok) == [b"x"]


async def test_one_image_too_many_ends_the_request_at_once(multipart: Multipart) -> None:
    """The rest of the body is not read."""
    body = multipart([("image", IMAGE)] * 4 + [("image", LARGE)])
    request = _request(FORM, body, chunk=1000)
    with pytest.raises(TooManyImages):
        await body_of(request, media_type_of(request), max_images=3)
    assert len([chunk async for chunk in request.stream()]) > 2900


async def test_too_many_images(multipart: Multipart) -> None:
    """In every form of body; the error has the limit."""
    for count in (4, 5, 50):
        listed = json.dumps({"images": [ENCODED] * count}).encode()
        for kind, body in (
            (FORM, multipart([("image", IMAGE)] * count)),
            ("application/json", listed),
        ):
            with pytest.raises(TooManyImages) as caught:
                await _images(kind, body, max_images=3)
            assert caught.value.limit == 3
    assert len(await _images(FORM, multipart([("image", IMAGE)] * 3), max_images=3)) == 3


kinds = st.sampled_from(
    ["multipart/form-data; boundary=b", "application/json", "image/png"]
) | st.text(st.characters(max_codepoint=255, exclude_characters="\r\n")).map(
    lambda rest: "multipart/form-data; boundary=b" + rest
)
pieces = st.lists(
    st.sampled_from([HEAD, b"--b", b"--b--", b"\r\n", b"x", b'{"image":', b'"QUJD"', b"}", b"["])
    | st.binary(max_size=20),
    max_size=8,
).map(b"".join)


@given(kinds, pieces, st.integers(1, 100))
@example("multipart/form-data; boundary=b; charset=undefined", HEAD + b"x\r\n--b--", 9)
@settings(suppress_health_check=[HealthCheck.too_slow])
async def test_any_body_has_images_or_is_rejected(kind: str, body: bytes, chunk: int) -> None:
    """Any bytes give images that are not empty, or a RequestError."""
    try:
        images = await _images(kind, body, chunk=chunk)
    except RequestError:
        return
    assert images
    assert all(images)


@pytest.fixture
def files_opened() -> list[str]:
    """Collect the files opened for writing from now on, reported by the interpreter."""
    opened: list[str] = []

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[2], int) and arguments[2] & 3:
            opened.append(str(arguments[0]))
        elif event.startswith("tempfile."):
            opened.append(event)

    sys.addaudithook(watch)  # permanently: a hook cannot be removed, and this one only records
    return opened


async def test_nothing_is_written_to_disk(files_opened: list[str], multipart: Multipart) -> None:
    """Three parts of 3 MB each open no file, nor does any other form of body."""
    parts = [("image", LARGE)] * 3
    assert await _images(FORM, multipart(parts)) == [LARGE] * 3
    assert await _images("image/png", LARGE) == [LARGE]
    encoded = json.dumps({"image": base64.b64encode(LARGE).decode()}).encode()
    assert await _images("application/json", encoded) == [LARGE]
    assert files_opened == []


async def test_a_file_would_be_noticed(files_opened: list[str], multipart: Multipart) -> None:
    """Negative control: Starlette's own form parser writes the same upload to a file."""
    async with _request(FORM, multipart([("image", LARGE)])).form() as form:
        upload = form["image"]
        assert isinstance(upload, UploadFile)
        assert await upload.read() == LARGE
    assert len(files_opened) >= 1


async def test_a_malformed_upload_is_not_written_to_disk(
    files_opened: list[str], multipart: Multipart
) -> None:
    """Nor one that is malformed only after 3 MB."""
    with pytest.raises(MalformedBody):
        await _images(FORM, multipart([("image", LARGE)], end=b""))
    assert files_opened == []


@pytest.mark.parametrize("silenced", [True, False])
async def test_a_malformed_body_is_not_logged(
    *, silenced: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """python-multipart would log bytes of it: with its logger enabled it does (the control)."""
    caplog.set_level(logging.DEBUG)
    if not silenced:
        caplog.set_level(logging.DEBUG, "python_multipart")
    with pytest.raises(MalformedBody):
        await _images("multipart/form-data; boundary=b", b"--bhunter2")
    assert bool(caplog.records) is not silenced
