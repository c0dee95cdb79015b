"""One bad image of several: its number, and what ?partial=true makes of it."""

import json
from typing import Any

import pytest

from handlers.bodies.body_errors import EmptyImage, NotBase64
from handlers.errors import FormatNotPartial, UnknownParameter
from middleware.request_context import request_context
from model.errors import Busy, ReadingError, UnreadableImage
from tests.handlers.conftest import BOUNDARY, Multipart
from tests.handlers.echo import Caller, EchoReader

pytestmark = pytest.mark.anyio

FORM = f"multipart/form-data; boundary={BOUNDARY}"
STREAM = "application/x-ndjson"
JSON = "application/json"
PARTIAL = b"partial=true"


def _multipart(*images: bytes) -> bytes:
    head = b'--%b\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\n'
    parts = [head % BOUNDARY.encode() + image + b"\r\n" for image in images]
    return b"".join(parts) + b"--" + BOUNDARY.encode() + b"--"


def _field(name: bytes, value: bytes) -> bytes:
    head = b'--%b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n'
    return head % (BOUNDARY.encode(), name) + value + b"\r\n"


@pytest.mark.parametrize(
    ("images", "number"), [((b"one", b"torn"), 2), ((b"torn", b"one"), 1), ((b"torn",), 1)]
)
@pytest.mark.parametrize("accept", [JSON, "text/plain"])
async def test_a_problem_has_the_number_of_its_image(
    images: tuple[bytes, ...], number: int, accept: str, post: Caller
) -> None:
    """Without partial=true the request ends with it."""
    with pytest.raises(UnreadableImage) as caught:
        await post(_multipart(*images), content_type=FORM, accept=accept)
    assert caught.value.image == number


async def test_a_problem_of_the_service_has_no_number(post: Caller, reader: EchoReader) -> None:
    """It is not about an image."""
    with reader.slot(), reader.slot(), pytest.raises(Busy) as caught:
        await post(_multipart(b"one"), content_type=FORM)
    assert not hasattr(caught.value, "image")


@pytest.mark.parametrize("query", [b"", b"partial=false"])
async def test_a_stream_ends_with_the_number(query: bytes, post: Caller) -> None:
    """In its last line."""
    body = _multipart(b"one", b"torn")
    answer = await post(body, content_type=FORM, accept=STREAM, query=query)
    first, last = (json.loads(line) for line in answer.body.splitlines())
    assert (first["image"], first["text"]) == (1, "one")
    assert (last["image"], last["code"]) == (2, "unreadable_image")


@pytest.mark.parametrize("accept", [JSON, STREAM])
@pytest.mark.parametrize("place", ["query", "form"])
async def test_partial_returns_the_good_images(accept: str, place: str, post: Caller) -> None:
    """The bad one's place has its problem, in JSON and in a stream; the log has the problem."""
    for images in ((b"torn", b"two"), (b"one", b"torn"), (b"one", b"")):
        fields, query = (b"", PARTIAL) if place == "query" else (_field(b"partial", b"true"), b"")
        answer = await post(
            fields + _multipart(*images), content_type=FORM, accept=accept, query=query
        )
        assert answer.status == 200
        entries = _entries(accept, answer.body)
        for number, (image, entry) in enumerate(zip(images, entries, strict=True), 1):
            if image in {b"torn", b""}:
                code = "unreadable_image" if image else "malformed_body"
                assert (entry["image"], entry["code"], "text" in entry) == (number, code, False)
                assert request_context(post.scope).problem == code
            else:
                assert entry["text"] == image.decode()
        assert request_context(post.scope).images == 2


def _entries(accept: str, body: bytes) -> list[dict[str, Any]]:
    if accept == STREAM:
        return [json.loads(line) for line in body.splitlines()]
    entries: list[dict[str, Any]] = json.loads(body)["images"]
    return entries


async def test_partial_decodes_the_good_base64(post: Caller) -> None:
    """What is no base64 is a problem of its own image; JSON may hold the parameter."""
    body = b'{"partial": true, "images": ["*", "b25l"]}'
    document = json.loads((await post(body, content_type=JSON)).body)
    assert [entry.get("code") for entry in document["images"]] == ["malformed_body", None]
    assert document["images"][0]["image"] == 1
    assert document["images"][1]["text"] == "one"
    with pytest.raises(NotBase64) as caught:
        await post(body.replace(b"true", b"false"), content_type=JSON)
    assert caught.value.image == 1


async def test_a_malformed_image_is_found_before_any_is_read(
    post: Caller, reader: EchoReader
) -> None:
    """Without partial=true nothing of the request is worth reading."""
    with pytest.raises(EmptyImage):
        await post(_multipart(b"one", b""), content_type=FORM)
    assert reader.read == []


@pytest.mark.parametrize("accept", [JSON, STREAM])
async def test_a_bad_page_is_in_the_place_of_the_page(accept: str, post: Caller) -> None:
    """The pages before it are there; those after it are not read."""
    body = _multipart(b"one/torn/three", b"two")
    answer = await post(body, content_type=FORM, accept=accept, query=PARTIAL)
    if accept == STREAM:
        first, problem, second = _entries(accept, answer.body)
    else:
        document, second = _entries(accept, answer.body)
        first, problem = document["pages"]
        assert document["text"] == "one"
    assert (first["page"], first["text"], second["text"]) == (1, "one", "two")
    assert (problem["image"], problem["code"]) == (1, "unreadable_image")


@pytest.mark.parametrize("accept", [JSON, STREAM])
@pytest.mark.parametrize("images", [(b"torn",), (b"torn", b"torn"), (b"torn", b"")])
async def test_without_a_good_image_the_first_problem_is_the_response(
    accept: str, images: tuple[bytes, ...], post: Caller, reader: EchoReader
) -> None:
    """With its status, as without partial=true."""
    with pytest.raises(UnreadableImage) as caught:
        await post(_multipart(*images), content_type=FORM, accept=accept, query=PARTIAL)
    assert caught.value.image == 1
    assert reader.held == 0


async def test_a_problem_of_the_service_ends_a_partial_request(
    post: Caller, monkeypatch: pytest.MonkeyPatch, reader: EchoReader
) -> None:
    """A process that died says nothing about the image."""

    async def fail(*_: Any, **__: Any) -> Any:
        raise ReadingError
        yield

    monkeypatch.setattr(reader, "pages", fail)
    with pytest.raises(ReadingError):
        await post(_multipart(b"one", b"two"), content_type=FORM, query=PARTIAL)


@pytest.mark.parametrize("place", ["query", "form"])
async def test_plain_text_cannot_be_partial(place: str, post: Caller, reader: EchoReader) -> None:
    """It has no place for a problem; nothing is read."""
    fields, query = (b"", PARTIAL) if place == "query" else (_field(b"partial", b"true"), b"")
    with pytest.raises(FormatNotPartial):
        await post(fields + _multipart(b"one"), content_type=FORM, accept="text/plain", query=query)
    assert reader.read == []


@pytest.mark.parametrize(
    ("field", "query", "good"),
    [
        ((b"detect", b"false"), b"", True),
        ((b"detect", b"no"), b"", False),
        ((b"detect", b"false"), b"detect=true", False),
        ((b"lang", b"en"), b"", False),
    ],
)
async def test_form_fields_are_parameters(
    field: tuple[bytes, bytes], query: bytes, *, good: bool, post: Caller, reader: EchoReader
) -> None:
    """As in the query: known ones count, each once; unknown ones are refused."""
    body = _multipart(b"one").replace(b"--" + BOUNDARY.encode() + b"--", b"")
    body += _field(*field) + b"--" + BOUNDARY.encode() + b"--"
    if good:
        await post(body, content_type=FORM, query=query)
        assert reader.read == [(b"one", False)]
    else:
        with pytest.raises(UnknownParameter):
            await post(body, content_type=FORM, query=query)
        assert reader.read == []


async def test_pages_may_be_a_form_field(post: Caller, multipart: Multipart) -> None:
    """The response has `pages` then, as with the query."""
    body = _field(b"pages", b"2") + multipart([("image", b"one/two")])
    document = json.loads((await post(body, content_type=FORM)).body)
    assert [page["text"] for page in document["pages"]] == ["two"]
