"""The document says all that the service has, and nothing that it has not."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate
from starlette.requests import Request
from starlette.responses import Response

from handlers.description import Description, Text, described, in_language
from handlers.errors import InvalidParameter
from handlers.formats.registry import formats
from handlers.openapi.document import localised
from handlers.openapi.errors import NEVER_SENT
from handlers.openapi.interface import FunctionFacts, Interface
from handlers.openapi.parameters import PARAMETERS
from handlers.parameters import NAMES, VALID, parameters_of
from handlers.problem_table import PROBLEMS, REJECTED, ROUTING
from tests.handlers.openapi.conftest import SHIPPED, Validator


async def hello(_request: Request) -> Response:
    """Greet the caller.

    In the caller's own language.
    """
    return Response()


@described(
    Description(
        {"summary": Text("Wave", "挥手"), "responses": {"204": {"description": "Waved."}}},
        errors=(InvalidParameter,),
    )
)
async def wave(_request: Request) -> Response:
    """Wave."""
    return Response()


def function(handler: Any, **changes: Any) -> FunctionFacts:
    """Return a function that a user has added."""
    facts = FunctionFacts(
        path="/hello",
        handler=handler,
        scope="greet",
        key_header=None,
        loopback_without_key=False,
        methods=("POST",),
        limits=("3/minute",),
        max_body_bytes=5,
        body_timeout_s=0.5,
        timeout_s=0.5,
    )
    return replace(facts, **changes)


def with_functions(interface: Interface, *added: FunctionFacts) -> dict[str, Any]:
    """Return the document of a service with further functions."""
    return localised(replace(interface, functions=(*interface.functions, *added)), 0)


def operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield each operation."""
    for item in document["paths"].values():
        yield from item.values()


@pytest.mark.parametrize("language", [0, 1])
def test_it_is_valid(interface: Interface, language: int) -> None:
    """By the specification's own schema, with all that a service can have."""
    full = replace(
        interface,
        functions=(
            *interface.functions,
            function(hello, path="/assets/{name}", scope="public", methods=("GET",)),
            function(wave, methods=("GET", "POST"), key_header="x-key", loopback_without_key=True),
        ),
        certificates="optional",
        proxied=True,
        cors=True,
    )
    found = localised(full, language)
    validate(found)
    assert "Text(" not in str(found)


def test_every_function_is_in_it(document: dict[str, Any], interface: Interface) -> None:
    """With its methods, and nothing else."""
    assert {path: {*item} for path, item in document["paths"].items()} == {
        each.path: {method.lower() for method in each.methods} for each in interface.functions
    }
    identifiers = [each["operationId"] for each in operations(document)]
    assert len(identifiers) == len(set(identifiers))


def test_every_parameter_is_in_it(document: dict[str, Any]) -> None:
    """In the query, the form and JSON; each value of a list of values is one that serves."""
    assert set(PARAMETERS) == NAMES
    ocr = document["paths"]["/ocr"]["post"]
    assert {each["name"] for each in ocr["parameters"]} == NAMES
    form = ocr["requestBody"]["content"]["multipart/form-data"]["schema"]
    json = document["components"]["schemas"]["JsonRequest"]
    assert form["properties"].keys() == NAMES | {"image", "file"}
    assert json["properties"].keys() == NAMES | {"image", "images"}
    for each in ocr["parameters"]:
        name = each["schema"].get("$ref", "").rpartition("/")[2]
        values = document["components"]["schemas"].get(name, {}).get("enum", [])
        for value in [*values, each["example"]]:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            parameters_of([(each["name"], text)])
        if values:
            valid = {pair for pair in VALID.split(", ") if pair.startswith(f"{each['name']}=")}
            assert {f"{each['name']}={value}" for value in values} == valid


def test_every_format_is_in_it(document: dict[str, Any]) -> None:
    """By its media type, with its name."""
    content = document["paths"]["/ocr"]["post"]["responses"]["200"]["content"]
    assert {kind: each["x-format"]["name"] for kind, each in content.items()} == {
        each.media_type: each.name for each in formats()
    }


def test_every_code_is_in_it(interface: Interface) -> None:
    """In the list of codes, and with its status in a response."""
    document = localised(replace(interface, proxied=True), 0)
    statuses = {
        problem.code: problem.status
        for problem in [*PROBLEMS.values(), *ROUTING.values(), REJECTED]
        if problem.code not in NEVER_SENT
    }
    assert set(document["components"]["schemas"]["Code"]["enum"]) == statuses.keys()
    found: dict[str, int] = {}
    responses = [
        *document["components"]["responses"].values(),
        *(each for one in operations(document) for each in one["responses"].values()),
    ]
    for response in responses:
        media = response.get("content", {}).get("application/problem+json", {})
        for example in media.get("examples", {}).values():
            assert example["value"]["code"] in media["x-codes"]
            found[example["value"]["code"]] = example["value"]["status"]
    assert found == statuses


def test_errors_stand_at_their_status(document: dict[str, Any], faults: Validator) -> None:
    """Each example is a complete problem document."""
    for operation in operations(document):
        for status, response in operation["responses"].items():
            media = response.get("content", {}).get("application/problem+json", {})
            for example in media.get("examples", {}).values():
                assert str(example["value"]["status"]) == status
                assert faults("Problem", example["value"]) == []


def test_a_function_of_a_user(interface: Interface) -> None:
    """It has its docstring, scope and limits, and the errors of the middleware before it."""
    found = with_functions(interface, function(hello))["paths"]["/hello"]["post"]
    assert found["summary"] == "Greet the caller"
    assert found["description"] == "In the caller's own language."
    assert found["security"] == [{"apiKey": ["greet"]}, {"bearer": ["greet"]}]
    assert {"401", "403", "413", "429", "504", "2XX", "default"} <= found["responses"].keys()
    too_large = found["responses"]["413"]["content"]["application/problem+json"]["examples"]
    assert too_large["BodyTooLarge"]["value"]["detail"] == "The limit is 5 bytes."
    assert found["x-limits"]["requests_per_key"] == ["3/minute"]


def test_a_handler_describes_itself(interface: Interface) -> None:
    """The decorator's members replace what is known without it; its errors are added."""
    found = with_functions(interface, function(wave))["paths"]["/hello"]["post"]
    assert found["summary"] == "Wave"
    assert {"204", "400", "401"} <= found["responses"].keys()
    assert not {"2XX", "default"} & found["responses"].keys()
    assert "unknown_parameter" in str(found["responses"]["400"])


def test_a_public_function_needs_no_key(interface: Interface) -> None:
    """And has no error of a key; a path with a placeholder has its parameter, and a 404."""
    added = function(hello, path="/assets/{name}", scope="public", methods=("GET",))
    found = with_functions(interface, added)["paths"]["/assets/{name}"]["get"]
    assert found["security"] == []
    assert not {"401", "403"} & found["responses"].keys()
    assert "404" in found["responses"]
    assert [(each["name"], each["in"]) for each in found["parameters"]] == [("name", "path")]


@pytest.mark.parametrize(
    ("certificates", "alternatives"),
    [
        ("off", [{"apiKey"}, {"bearer"}]),
        ("optional", [{"apiKey"}, {"bearer"}, {"clientCertificate"}]),
        (
            "required",
            [
                {"clientCertificate"},
                {"apiKey", "clientCertificate"},
                {"bearer", "clientCertificate"},
            ],
        ),
    ],
)
def test_client_certificates(
    interface: Interface, certificates: str, alternatives: list[set[str]]
) -> None:
    """As the settings ask for them."""
    found = localised(replace(interface, certificates=certificates), 0)
    schemes = found["components"]["securitySchemes"]
    assert [{*each} for each in found["paths"]["/ocr"]["post"]["security"]] == alternatives
    assert {*schemes} == set().union(*alternatives)


def test_it_has_a_language() -> None:
    """Texts inside lists and mappings are replaced; everything else stays."""
    tree = {"a": [Text("one", "一"), 2], "b": {"c": Text("two", "二")}, "d": None}
    assert in_language(tree, 1) == {"a": ["一", 2], "b": {"c": "二"}, "d": None}


def test_the_documents_differ_in_language_only(interface: Interface) -> None:
    """Chinese texts stand where English ones do."""
    english, chinese = localised(interface, 0), localised(interface, 1)
    assert "识别" in str(chinese)
    assert "识别" not in str(english)

    def shape(tree: Any) -> Any:
        if isinstance(tree, dict):
            return {key: shape(value) for key, value in tree.items()}
        return [shape(each) for each in tree] if isinstance(tree, list) else type(tree)

    assert shape(english) == shape(chinese)


def test_it_costs_nothing_at_start(tmp_path: Path) -> None:
    """The modules that make the document are imported when it is asked for."""
    program = (
        "import sys, pathlib; from service.middleware_stack import *; "
        "from settings import load_settings; "
        f"s = load_settings(pathlib.Path({str(SHIPPED)!r}), {{}}); "
        "MiddlewareStack(s, Surroundings(pathlib.Path(), print, None, True)).app(); "
        "print(sorted(m for m in sys.modules if m.startswith('handlers.openapi')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=SHIPPED.parent,
        env={"OCR_SETTINGS": str(tmp_path), "PATH": ""},
    )
    assert done.stdout.split("\n")[-2] == str(["handlers.openapi", "handlers.openapi.interface"])


def test_no_two_operations_have_one_id(interface: Interface) -> None:
    """Nor if a handler is at two paths, or two paths differ in what no id can have."""
    added = [function(hello, path=path) for path in ("/hello", "/hello/", "/hel-lo", "/hel.lo")]
    reading = next(each for each in interface.functions if each.path == "/ocr")
    document = with_functions(interface, *added, replace(reading, path="/read"))
    identifiers = [each["operationId"] for each in operations(document)]
    assert len(set(identifiers)) == len(identifiers)
    assert {"recognize", "recognize_2", "post_hello", "post_hello_2"} <= {*identifiers}
