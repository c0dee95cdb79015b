"""The formats: how one is chosen, and what all of them have in common."""

import json
from pathlib import Path
from typing import Any

import pytest

from handlers import formats as package
from handlers.errors import FormatNotPartial, InvalidParameter, RepeatedParameter
from handlers.formats.registry import accepted_format, formats
from tests.handlers.conftest import BOUNDARY, Multipart
from tests.handlers.echo import Caller, EchoReader

pytestmark = pytest.mark.anyio

FORM = f"multipart/form-data; boundary={BOUNDARY}"
FIELD = b'--%b\r\nContent-Disposition: form-data; name="format"\r\n\r\n%b\r\n'
JSON_BODY = '{"image": "b25l", "format": "%s"}'


async def _post_with(post: Caller, place: str, name: str, **headers: Any) -> Any:
    """Send an image with `format` in the query, a form field or a JSON member."""
    if place == "query":
        return await post(b"one", query=f"format={name}".encode(), **headers)
    if place == "JSON":
        body = JSON_BODY % name
        return await post(body.encode(), content_type="application/json", **headers)
    mark = BOUNDARY.encode()
    image = b'--%b\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\none\r\n'
    body_bytes = FIELD % (mark, name.encode()) + image % mark + b"--%b--" % mark
    return await post(body_bytes, content_type=FORM, **headers)


@pytest.mark.parametrize("place", ["query", "form", "JSON"])
@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson", "text/plain"])
async def test_the_parameter_wins_over_accept(place: str, accept: str, post: Caller) -> None:
    """Wherever it is."""
    answer = await _post_with(post, place, "text", accept=accept)
    assert (answer["content-type"], answer.body) == ("text/plain; charset=utf-8", b"one")
    answer = await _post_with(post, place, "json", accept=accept)
    assert json.loads(answer.body)["text"] == "one"
    assert "image" in json.loads((await _post_with(post, place, "ndjson", accept=accept)).body)


@pytest.mark.parametrize("place", ["query", "form", "JSON"])
@pytest.mark.parametrize("name", ["docx", "JSON", "application/json", "registry", "page_json"])
async def test_an_unknown_format_is_refused(
    place: str, name: str, post: Caller, reader: EchoReader
) -> None:
    """With the list of the valid ones; nothing is read."""
    with pytest.raises(InvalidParameter) as caught:
        await _post_with(post, place, name)
    assert caught.value.name == "format"
    assert caught.value.takes == ", ".join(each.name for each in formats())
    assert reader.read == []


async def test_it_is_given_once(post: Caller) -> None:
    """As every parameter."""
    body = (JSON_BODY % "text").encode()
    with pytest.raises(RepeatedParameter):
        await post(body, content_type="application/json", query=b"format=text")


@pytest.mark.parametrize("each", formats(), ids=lambda each: each.name)
async def test_what_each_format_has(each: Any) -> None:
    """Accept selects it alone, and nothing that JSON or plain text can be written for."""
    assert accepted_format(each.media_type) is each
    assert accepted_format(f"{each.media_type};q=0.5, */*;q=0.1") is each
    assert all(text.strip() for text in (*each.title, *each.description))
    assert sum(each.media_type == other.media_type for other in formats()) == 1


@pytest.mark.parametrize(
    ("accept", "name"),
    [
        (None, "json"),
        ("*/*", "json"),
        ("application/*", "json"),
        ("text/*", "text"),
        ("text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", "json"),
        ("application/msword", "json"),
    ],
)
def test_without_a_preference_it_is_as_ever(accept: str | None, name: str) -> None:
    """A new format is not sent to a client that did not name its media type."""
    assert accepted_format(accept).name == name


@pytest.mark.parametrize("each", formats(), ids=lambda each: each.name)
async def test_partial(each: Any, post: Caller, multipart: Multipart, reader: EchoReader) -> None:
    """A format without a place for a problem is refused, by its name and with the others'."""
    body, query = multipart([("image", b"one"), ("image", b"torn")]), b"partial=true&format="
    if each.partial:
        assert (await post(body, content_type=FORM, query=query + each.name.encode())).status == 200
        return
    with pytest.raises(FormatNotPartial) as caught:
        await post(body, content_type=FORM, query=query + each.name.encode())
    assert (caught.value.name, caught.value.takes) == (each.name, "json, ndjson")
    assert reader.read == []


async def test_a_form_field_may_choose_a_partial_format(post: Caller) -> None:
    """The Accept header is decided on once the body's parameters are known."""
    body = (JSON_BODY % "json").encode()
    answer = await post(
        body, content_type="application/json", accept="text/plain", query=b"partial=true"
    )
    assert json.loads(answer.body)["text"] == "one"


def test_a_new_format_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an entry in any list; a module without FORMAT is none."""
    text = Path(package.__path__[0], "text.py").read_text(encoding="utf-8")
    changed = text.replace('name="text"', 'name="new"').replace("text/plain", "text/x-new")
    (tmp_path / "made_up_format.py").write_text(changed, encoding="utf-8")
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    found = [each.name for each in formats.__wrapped__()]
    assert set(found) == {each.name for each in formats()} | {"new"}
    assert len(found) == len(formats()) + 1
