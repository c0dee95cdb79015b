"""What the service sends is what the schemas say, member by member."""

import json
from typing import Any

import pytest
from starlette.requests import Request

from handlers.problems import respond
from handlers.writing.page_json import as_page
from model.reader import Block, Cell, Line, Page, PageWarning, Word
from tests.asgi import scope_of
from tests.handlers.conftest import BOUNDARY, Multipart
from tests.handlers.echo import Caller
from tests.handlers.openapi.conftest import Validator
from tests.handlers.test_problems import INSTANCES

pytestmark = pytest.mark.anyio
BOX = ((0, 0), (9, 0), (9, 9), (0, 9))
TIMES_MS = {"decode": 1.0, "queue": 1.0, "detect": 1.0, "recognise": 1.0, "total": 4.0}
CELLS = (Cell(0, 0, 1, 2, (0,)), Cell(1, 0, 1, 1, (1,)))
LINES = (Line("one", 0.5, BOX, (Word("one", BOX, 0.5),)), Line(None, 1.0, BOX))
BLOCKS = (Block(BOX, (0, 1), "table", CELLS),)
PAGE = Page(
    number=1,
    of_document=False,
    lines=LINES,
    blocks=BLOCKS,
    width=9,
    height=8,
    rotation=90,
    skew=-0.2,
    model="d+r",
    timing_ms=TIMES_MS,
    warnings=tuple(PageWarning),
    image=b"\xff\xd8",
)
FORM = f"multipart/form-data; boundary={BOUNDARY}"


def without_tuples(value: object) -> Any:
    """Return the value as a client gets it."""
    return json.loads(json.dumps(value))


def test_a_page_has_what_its_schema_has(document: dict[str, Any], faults: Validator) -> None:
    """All of it, down to the cells of a table; and nothing else."""
    page = without_tuples(as_page(PAGE))
    assert faults("Page", page) == []
    schemas = document["components"]["schemas"]
    for name, found in [
        ("Page", page),
        ("Line", page["lines"][0]),
        ("Word", page["lines"][0]["words"][0]),
        ("PageImage", page["page_image"]),
        ("Block", page["blocks"][0]),
        ("Cell", page["blocks"][0]["cells"][0]),
        ("Timing", page["timing_ms"]),
    ]:
        assert found.keys() == schemas[name]["properties"].keys(), name


def test_what_is_not_in_a_schema_is_found(faults: Validator) -> None:
    """Negative control: a member too many, one too few, a value of another type."""
    page = without_tuples(as_page(PAGE))
    assert faults("Page", {**page, "more": 1})
    assert faults("Page", {name: page[name] for name in page if name != "skew"})
    assert faults("Page", {**page, "rotation": 45})


async def test_each_form_of_a_response(
    post: Caller, multipart: Multipart, faults: Validator
) -> None:
    """An image, a document, several files, some of which cannot be read, and a stream."""
    image = json.loads((await post()).body)
    assert faults("ImageResult", image) == []
    for answer in (await post(b"one/two"), await post(b"one", query=b"pages=1")):
        assert faults("DocumentResult", json.loads(answer.body)) == []
    body = multipart([("image", b"one"), ("file", b"one/torn")])
    several = json.loads((await post(body, query=b"partial=true", content_type=FORM)).body)
    assert faults("ImagesResult", several) == []
    assert [{"pages"} & entry.keys() for entry in several["images"]] == [set(), {"pages"}]
    stream = await post(body, accept="application/x-ndjson", content_type=FORM)
    lines = [json.loads(line) for line in stream.body.splitlines()]
    assert [faults("StreamLine", line) for line in lines] == [[], [], []]
    assert ["code" in line for line in lines] == [False, False, True]


@pytest.mark.parametrize("error", INSTANCES, ids=lambda error: type(error).__name__)
async def test_each_error(error: Exception, document: dict[str, Any], faults: Validator) -> None:
    """Its document is a Problem; its headers are those that the document lists for its status."""
    response = await respond(Request(scope_of()), error)
    problem = json.loads(bytes(response.body))
    if problem["code"] == "client_left":  # nobody receives it
        return
    assert faults("Problem", problem) == []
    listed = [
        found
        for item in [*document["paths"]["/ocr"].values(), *document["paths"]["/readyz"].values()]
        for status, found in item["responses"].items()
        if status == str(response.status_code)
    ]
    listed += document["components"]["responses"].values()
    own = {name.lower() for name in response.headers} - {"content-length", "content-type"}
    assert any(own <= {name.lower() for name in found["headers"]} for found in listed)
