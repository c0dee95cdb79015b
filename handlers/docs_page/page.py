"""The whole page."""

import functools
from collections.abc import Mapping
from typing import Any

from handlers.cached_response import Representation
from handlers.docs_page.errors import error_table
from handlers.docs_page.html import Html, inline, joined, paragraphs, table, tag
from handlers.docs_page.operation import badge, operation
from handlers.docs_page.schemas import result_schemas
from handlers.docs_page.words import words
from handlers.openapi.document import localised
from handlers.openapi.interface import Interface

_LANGUAGES = ("en", "zh-CN")
_OTHER = ("zh", "en")


@functools.lru_cache(maxsize=4)
def rendered(interface: Interface, language: int) -> Representation:
    """Return the page in one language: 0 for English, 1 for Chinese."""
    document, say = localised(interface, language), words(language)
    whole = tag(
        "html", _head(document, say), _body(document, say, language), lang=_LANGUAGES[language]
    )
    return Representation.of(b"<!doctype html>\n" + whole.encode(), "text/html")


def _head(document: Mapping[str, Any], say: Mapping[str, str]) -> Html:
    title = f"{document['info']['title']} {say['api']}"
    return tag(
        "head",
        Html('<meta charset="utf-8">'),
        Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        tag("title", title),
        Html('<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">'),
        Html('<link rel="stylesheet" href="/assets/docs.css">'),
    )


def _body(document: Mapping[str, Any], say: Mapping[str, str], language: int) -> Html:
    main = tag(
        "main",
        _introduction(document, say),
        *(operation(document, path, method, say) for path, method, _ in _operations(document)),
        tag(
            "section",
            tag("h2", say["results"]),
            result_schemas(document, say),
            id="results",
        ),
        tag("section", tag("h2", say["errors"]), error_table(document, say), id="errors"),
        tag("section", tag("h2", say["headers"]), _headers(document, say), id="headers"),
        id="content",
    )
    skip = tag("a", say["skip"], class_="skip", href="#content")
    columns = tag("div", _contents(document, say), main, class_="columns")
    return tag("body", skip, _header(document, say, language), columns)


def _header(document: Mapping[str, Any], say: Mapping[str, str], language: int) -> Html:
    paths = document["paths"]
    other = _OTHER[language]
    return tag(
        "header",
        tag("p", document["info"]["title"], tag("span", say["api"]), class_="brand"),
        *([tag("a", say["page"], href="/")] if "/" in paths else []),
        *(
            [tag("a", say["json_document"], href="/openapi.json")]
            if "/openapi.json" in paths
            else []
        ),
        tag("a", say["other_language"], href=f"?language={other}", lang=other),
    )


def _contents(document: Mapping[str, Any], say: Mapping[str, str]) -> Html:
    links = [
        tag("li", tag("a", badge(method), tag("span", path), href=f"#{found['operationId']}"))
        for path, method, found in _operations(document)
    ]
    further = [
        tag("li", tag("a", say[name], href=f"#{name}")) for name in ("results", "errors", "headers")
    ]
    start = tag("li", tag("a", say["authentication"], href="#authentication"))
    return tag("nav", tag("ul", start, *links, *further), aria_label=say["contents"])


def _operations(document: Mapping[str, Any]) -> list[tuple[str, str, Mapping[str, Any]]]:
    return [
        (path, method, found)
        for path, item in document["paths"].items()
        for method, found in item.items()
    ]


def _introduction(document: Mapping[str, Any], say: Mapping[str, str]) -> Html:
    origin = document["servers"][0]["url"]
    schemes = document["components"]["securitySchemes"].values()
    rows: list[tuple[str, ...]] = [
        (tag("code", _sent(each, say)), inline(each["description"])) for each in schemes
    ]
    return tag(
        "section",
        tag("h1", f"{document['info']['title']} {say['api']}"),
        paragraphs(document["info"]["description"]),
        tag("dl", tag("div", tag("dt", say["base_url"]), tag("dd", tag("code", origin)))),
        tag("h2", say["authentication"], id="authentication"),
        tag("p", inline(say["key_text"])),
        table((say["header"], say["description"]), rows),
        class_="introduction",
    )


def _sent(scheme: Mapping[str, Any], say: Mapping[str, str]) -> str:
    """Return how a caller of this scheme authenticates."""
    if scheme["type"] == "mutualTLS":
        return say["certificate"]
    if scheme["type"] == "http":
        return "Authorization: Bearer $OCR_KEY"
    return f"{scheme['name']}: $OCR_KEY"


def _headers(document: Mapping[str, Any], say: Mapping[str, str]) -> Html:
    rows: list[tuple[str, ...]] = [
        (
            tag("code", name),
            joined(inline(each["description"]), tag("code", each["example"], class_="example")),
        )
        for name, each in document["components"]["headers"].items()
    ]
    return table((say["header"], say["description"]), rows)
