"""Functions in place of other services: in the document when they are on, with their own errors."""

from typing import Any

import pytest
from openapi_spec_validator import validate

from handlers.description import description_of
from handlers.openapi.document import localised
from handlers.openapi.interface import Interface
from service.interface import interface_of
from settings import load_settings
from tests.handlers.openapi.conftest import SHIPPED

COMPAT = "handlers.compat."
FOREIGN = ("401", "403", "429", "503")


@pytest.fixture(scope="module")
def everything() -> Interface:
    """The interface with all functions of the settings switched on."""
    settings = load_settings(SHIPPED, {})
    functions = tuple(each.model_copy(update={"enabled": True}) for each in settings.functions)
    changed = settings.model_copy(update={"functions": functions})
    return interface_of(changed, development_certificate=True)


@pytest.fixture(scope="module", params=[0, 1])
def found(everything: Interface, request: pytest.FixtureRequest) -> dict[str, Any]:
    """The document of that service."""
    return localised(everything, request.param)


def test_each_is_described(everything: Interface) -> None:
    """No docstring stands in the place of a description."""
    functions = [each for each in everything.functions if COMPAT in each.handler.__module__]
    assert len(functions) >= 9
    for each in functions:
        assert description_of(each.handler, everything) is not None, each.path


def test_the_document_is_valid(found: dict[str, Any]) -> None:
    """With all of them, in both languages."""
    validate(found)


def test_they_are_in_the_document_when_they_are_on(
    everything: Interface, found: dict[str, Any], document: dict[str, Any]
) -> None:
    """As shipped, none is."""
    paths = {each.path for each in everything.functions if COMPAT in each.handler.__module__}
    assert paths <= found["paths"].keys()
    assert not paths & document["paths"].keys()


def test_their_errors_are_those_that_they_send(found: dict[str, Any]) -> None:
    """Made by the handler: not problem documents, but for what no function sees."""
    responses = found["paths"]["/parse/image"]["post"]["responses"]
    for status in FOREIGN:
        assert responses[status]["content"].keys() == {"application/json"}
    assert responses["431"]["content"].keys() == {"application/problem+json"}
    busy = responses["503"]["content"]["application/json"]["examples"]["Busy"]["value"]
    assert (busy["IsErroredOnProcessing"], busy["ErrorDetails"]) == (True, "busy")
    examples = responses["200"]["content"]["application/json"]["examples"]
    assert {"Read", "UnreadableImage", "FieldMissing"} <= examples.keys()
    assert "Retry-After" in responses["429"]["headers"]
    assert "apiKey_apikey" in found["components"]["securitySchemes"]


def test_their_errors_have_the_language_of_the_document(everything: Interface) -> None:
    """Umi-OCR's own come in Chinese, unless English is preferred."""
    english, chinese = (
        localised(everything, language)["paths"]["/api/ocr"]["post"]["responses"]["429"]
        ["content"]["text/html"]["examples"]["RateLimited"]["value"]["data"]
        for language in (0, 1)
    )  # fmt: skip
    assert english == 'The limit "function" is used up: 10 in 60 s. Retry in 42 s.'
    assert "42" in chinese
    assert english != chinese


def test_their_examples_send_a_file_as_they_take_it(found: dict[str, Any]) -> None:
    """In the field of a form, as base64 in JSON, or as the body; a GET sends nothing."""

    def command(path: str, method: str = "post") -> str:
        source: str = found["paths"][path][method]["x-codeSamples"][0]["source"]
        return source

    assert "-F image=@receipt.png https://localhost:8443/ocr" in command("/ocr")
    assert "-F image_file=@receipt.png" in command("/rapidocr/ocr")
    assert """--json '{"base64": "..."}'""" in command("/api/ocr")
    assert "-X PUT" in command("/process", "put")
    assert "--data-binary @receipt.png" in command("/process", "put")
    assert "-X" not in command("/healthz", "get").replace("X-API-Key", "")
