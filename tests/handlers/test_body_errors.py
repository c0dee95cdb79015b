"""Each cause of a malformed body is told apart, and nothing of the body is repeated."""

import json
from typing import Any

import pytest
from starlette.requests import Request

from handlers.bodies import body_errors as errors
from handlers.bodies.body_errors import MalformedImage
from handlers.bodies.body_problem_table import MALFORMED_BODY
from handlers.errors import MalformedBody, TooManyImages, UnknownParameter
from handlers.parameters import NAMES
from handlers.problems import problem_document
from tests.asgi import scope_of
from tests.handlers.test_uploads import body_from

pytestmark = pytest.mark.anyio

JSON = "application/json"
FORM = "multipart/form-data; boundary=b"


def _part(name: bytes, rest: bytes = b'; filename="x"', content: bytes = b"x") -> bytes:
    disposition = b'Content-Disposition: form-data; name="%b"%b' % (name, rest)
    return b"--b\r\n" + disposition + b"\r\n\r\n" + content + b"\r\n"


END = b"--b--\r\n"
IMAGE = _part(b"image")
TEXT = b""
LINES = (IMAGE + END).replace(b"\r\n", b"\n")
CASES: list[tuple[str, bytes, MalformedBody]] = [
    ("image/png", b"", errors.EmptyBody()),
    (JSON, b"", errors.EmptyBody()),
    (FORM, b"", errors.EmptyBody()),
    ("multipart/form-data", IMAGE + END, errors.BoundaryMissing()),
    ("multipart/form-data; boundary=", IMAGE + END, errors.BoundaryMissing()),
    ("multipart/form-data; boundary=" + "b" * 300, IMAGE + END, errors.BoundaryMissing()),
    ("multipart/form-data; boundary=c", IMAGE + END, errors.BoundaryNotFound()),
    (FORM, b"--bc" + IMAGE[3:] + END, errors.BoundaryNotFound()),
    (FORM, b"hunter2", errors.BoundaryNotFound()),
    (FORM, LINES, errors.BareLineFeeds()),
    (FORM, IMAGE + IMAGE, errors.MultipartCutShort(2)),
    (FORM, IMAGE[:-5], errors.MultipartCutShort(1)),
    (FORM, b"--b", errors.MultipartCutShort(1)),
    (FORM, IMAGE + b"--b\r\nX\0: y\r\n\r\n", errors.PartMalformed(2, len(IMAGE) + 7)),
    (FORM, b"pre\r\n--b\r\nX\0: y\r\n\r\n", errors.PartMalformed(1, 12)),
    (FORM, b"--b\r\n" + b"X: y\r\n" * 9, errors.PartMalformed(1, 54)),
    (FORM, IMAGE + b"--b\r\nX: y\r\n\r\n\r\n" + END, errors.PartUnnamed(2)),
    (FORM, IMAGE + _part(b"image", TEXT, b"hunter2.png") + END, errors.PartIsText(2)),
    (FORM, _part(b"file", TEXT, b"x" * 2000) + END, errors.PartIsText(1)),
    (FORM, _part(b"image", TEXT, b" HTTPS://hunter2/") + END, errors.PartIsUrl(1)),
    (FORM, END, errors.NoImagePart(0, 0)),
    (FORM, _part(b"upload") + _part(b"pages", TEXT) + END, errors.NoImagePart(1, 1)),
    (FORM, _part(b"upload") + IMAGE + _part(b"image2") + END, errors.OtherFiles(2)),
    (FORM, _part(b"image", b'; filename=""', b"") + END, errors.NoFileChosen()),
    (FORM, IMAGE + _part(b"image", content=b"") + END, errors.EmptyImage(2)),
    (JSON, b"image=hunter2", errors.JsonMalformed(1)),
    (JSON, b'{"image" "QUJD"}', errors.JsonMalformed(10)),
    (JSON, b'{"image": "QUJD",}', errors.JsonMalformed(18)),
    (JSON, b'{"image": "QUJD"', errors.JsonMalformed(17)),
    (JSON, b'{"image": "QUJD', errors.JsonMalformed(15)),
    (JSON, b'{"image": "QUJD"} x', errors.JsonMalformed(19)),
    (JSON, b'{"image": "QUJD"}{}', errors.JsonMalformed(18)),
    (JSON, b'{image: "QUJD"}', errors.JsonMalformed(2)),
    (JSON, b'{"\\x": 1}', errors.JsonMalformed(2)),
    (JSON, b'["QUJD"]', errors.JsonNotObject()),
    (JSON, b'"QUJD"', errors.JsonNotObject()),
    (JSON, b"null", errors.JsonNotObject()),
    (JSON, b"{}", errors.JsonWithoutImage()),
    (JSON, b'{"images": []}', errors.JsonWithoutImage()),
    (JSON, b'{"image": null, "pages": 1}', errors.JsonWithoutImage()),
    (JSON, b'{"image": "QUJD", "hunter2": 1}', errors.JsonMemberUnknown()),
    (JSON, b'{"' + b"x" * 99 + b'": 1}', errors.JsonMemberUnknown()),
    (JSON, b'{"image": "QUJD", "lang": "hunter2"}', errors.JsonMemberForeign("lang")),
    (JSON, b'{"\\u0075rl": "https://hunter2"}', errors.JsonMemberForeign("url")),
    (JSON, b'{"image": "QUJD", "image": "QUJD"}', errors.JsonMemberRepeated("image")),
    (JSON, b'{"images": ["QUJD", 3]}', errors.JsonImageNotString(2)),
    (JSON, b'{"images": ["QUJD",]}', errors.JsonImageNotString(2)),
    (JSON, b'{"image": ["QUJD"]}', errors.JsonImageNotString(1)),
    (JSON, b'{"images": "QUJD"}', errors.JsonImagesNotList()),
    (JSON, b'{"images": ["QUJD", ""]}', errors.EmptyImage(2)),
    (JSON, b'{"image": "data:image/png;base64,"}', errors.EmptyImage(1)),
    (JSON, b'{"images": ["QUJD", "https:\\/\\/hunter2/x.png"]}', errors.ImageIsUrl(2)),
    (JSON, b'{"image": "file:///hunter2"}', errors.ImageIsUrl(1)),
    (JSON, b'{"image": "QUJ(hunter2"}', errors.NotBase64(1, 4)),
    (JSON, b'{"image": "QU\\n.D"}', errors.NotBase64(1, 4)),
    (JSON, b'{"image": "data:image/png;base64,QUJ*"}', errors.NotBase64(1, 26)),
    (JSON, b'{"image": "QQ==QQ=="}', errors.NotBase64(1, 5)),
    (JSON, b'{"image": "QUJD\xff"}', errors.NotBase64(1, 5)),
    (JSON, b'{"image": "' + b"QUJD" * 50_000 + b'?"}', errors.NotBase64(1, 200_001)),
    (JSON, b'{"image": "Q=' + b"\\n" * 70_000 + b'Q"}', errors.NotBase64(1, 70_003)),
    (JSON, b'{"image": "QUJD\\x"}', errors.NotBase64(1, 1)),
    (JSON, b'{"images": ["QUJD", "QUJDR"]}', errors.Base64CutShort(2)),
    (JSON, b'{"image": "QUJDRA="}', errors.Base64CutShort(1)),
    (JSON, b'{"image": "QUJD===="}', errors.Base64CutShort(1)),
]


@pytest.mark.parametrize(("kind", "body", "cause"), CASES, ids=lambda case: repr(case)[:50])
@pytest.mark.parametrize("chunk", [3, 65_536])
async def test_the_cause_is_named(kind: str, body: bytes, cause: MalformedBody, chunk: int) -> None:
    """With the same numbers and positions whatever the size of the chunks."""
    try:
        found = await body_from(kind, body, chunk=chunk if len(body) < 5000 else 65_536)
    except MalformedBody as error:
        caught: Any = error
    else:
        (caught,) = [image for image in found.images if isinstance(image, MalformedImage)]
    assert (type(caught), vars(caught)) == (type(cause), vars(cause))
    for language in ("en", "zh"):
        request = Request(scope_of(headers={"accept-language": language}))
        document = problem_document(request, caught)
        assert document["code"] == "malformed_body"
        assert document.get("image") == getattr(cause, "image", None)
        assert "hunter2" not in json.dumps(document)


def test_every_cause_has_a_case() -> None:
    """Of those in the table but two, which tests/handlers/compat has."""
    of_fields = {errors.FieldMissing, errors.FieldInvalid}
    assert {type(cause) for _, _, cause in CASES} == set(MALFORMED_BODY) - of_fields


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (FORM, IMAGE + _part(b"lang", TEXT, b"hunter2") + END),
        (FORM, IMAGE + _part(b"pages", TEXT, b"1" * 2000) + END),
        (FORM, IMAGE + _part(b"pages", TEXT, b"1") * (len(NAMES) + 1) + END),
        (JSON, b'{"image": "QUJD", "pages": [1, 3]}'),
        (JSON, b'{"image": "QUJD", "detect": "hunter\\u0032"}'),
    ],
)
async def test_unknown_fields_are_unknown_parameters(kind: str, body: bytes) -> None:
    """As in the query."""
    with pytest.raises(UnknownParameter):
        await body_from(kind, body)


@pytest.mark.parametrize(
    "body", [b'{"images": [' + b'"",' * 500_000 + b'""]}', b'{"image": "", "images": ["","",""]}']
)
async def test_images_in_json_are_counted_before_they_are_decoded(body: bytes) -> None:
    """None of the empty strings is reported."""
    with pytest.raises(TooManyImages):
        await body_from(JSON, body)


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"image": ' + b"[" * 100_000, b'{"a":' * 100_000, b" " * 100_000 + b"{}",
     b'{"image": "' + b'\\"' * 100_000, b'{"image": "' + b"\\" * 100_000 + b'"}'],
    ids=lambda body: repr(body[:20]),
)  # fmt: skip
async def test_hostile_json_is_malformed(body: bytes) -> None:
    """Nested, spaced or escaped without end."""
    with pytest.raises(MalformedBody):
        await body_from(JSON, body)
