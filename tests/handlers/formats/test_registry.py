"""The formats: how one is chosen, and what all of them have in common."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from handlers import formats as package
from handlers.errors import FormatNotPartial, InvalidParameter, RepeatedParameter
from handlers.formats.registry import accepted_format, formats, names
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
@pytest.mark.parametrize("name", ["docx", "JSON", "application/json", "registry", "format"])
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


def test_each_module_is_a_format() -> None:
    """Of the same name: so all names are known before a module is imported."""
    assert [each.name for each in formats()] == list(names())


def test_a_new_format_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an entry in any list."""
    (tmp_path / "new.py").touch()
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    assert set(names.__wrapped__()) == {*names(), "new"}


def _imported(program: str) -> set[str]:
    """Return which modules of formats a process has imported, and which libraries."""
    ending = "import sys; print(*(name for name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\n{ending}"], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_an_unused_format_costs_nothing_at_the_start() -> None:
    """No module of a format is imported, and none of what only formats need."""
    start = _imported("import service.app, handlers.ocr, handlers.description, handlers.health")
    own = {name for name in start if name.startswith(("handlers.formats.", "handlers.writing"))}
    assert own == {"handlers.formats.format", "handlers.formats.registry"}
    assert start.isdisjoint({"pikepdf", "fontTools", "lxml", "statistics"})
    used = _imported("from handlers.formats.registry import formats; formats()")
    assert {"handlers.formats.hocr", "handlers.writing.geometry"} <= used  # negative control
