"""One function of the document: how it is called, and what it returns."""

import json
import re
from collections.abc import Mapping
from typing import Any

from handlers.docs_page.errors import PROBLEM
from handlers.docs_page.html import Html, inline, joined, paragraphs, table, tag
from handlers.docs_page.schemas import kind

_PAIR = re.compile(r"\[\s+(\d+),\s+(\d+)\s+\]")
_PAIRS = re.compile(r"\[(?:\s+\[\d+, \d+\],?)+\s+\]")
_BODIES = {"multipart/form-data": "form", "application/json": "json_request"}


def operation(document: Mapping[str, Any], path: str, method: str, say: Mapping[str, str]) -> Html:
    """Return the section of one operation."""
    found = document["paths"][path][method]
    return tag(
        "section",
        tag("h2", badge(method), tag("code", path)),
        tag("p", found["summary"], class_="summary"),
        paragraphs(found.get("description", "")),
        _facts(found, say),
        _examples(found, say),
        _parameters(document, found, say),
        _bodies(found, say),
        _formats(found, say),
        _errors(found, say),
        id=found["operationId"],
    )


def badge(method: str) -> Html:
    """Return the method, coloured."""
    return tag("span", method.upper(), class_=f"method {method}")


def _part(title: str, content: Html) -> Html:
    return joined(tag("h3", title), content)


def _facts(found: Mapping[str, Any], say: Mapping[str, str]) -> Html:
    """Return who may call it, how often, and how large and slow a request may be."""
    limits = found["x-limits"]
    public = not found["security"]
    own = limits.get("requests_per_key", limits.get("requests_per_address", []))
    per = say["per_address" if public else "per_key"]
    allowed = [f"{each} {per}" for each in own]
    if not public:
        allowed.append(f"{limits['requests_per_key_of_all_functions']} {say['per_key_in_all']}")
    facts = {
        say["key"]: say["none"] if public else f"{say['scope']} `{limits['scope']}`",
        say["limits"]: "; ".join(allowed) or say["none"],
        say["body"]: f"≤ {limits['max_body_bytes']:,} {say['bytes']}",
        say["time"]: f"≤ {limits['timeout_s']:g} {say['seconds']}",
    }
    if not limits["max_body_bytes"]:
        del facts[say["body"]]
    pairs = [tag("div", tag("dt", name), tag("dd", inline(text))) for name, text in facts.items()]
    return tag("dl", *pairs, class_="facts")


def _examples(found: Mapping[str, Any], say: Mapping[str, str]) -> Html:
    first, *others = [each["source"] for each in found["x-codeSamples"]]
    further = tag("details", tag("summary", say["each_format"]), _code("\n".join(others)))
    return _part(say["examples"], joined(_code(first), further) if others else _code(first))


def _code(source: str) -> Html:
    return tag("pre", tag("code", source), tabindex="0")


def _parameters(
    document: Mapping[str, Any], found: Mapping[str, Any], say: Mapping[str, str]
) -> Html:
    schemas = document["components"]["schemas"]
    rows: list[tuple[str, ...]] = [
        (
            tag("code", each["name"]),
            kind(each["schema"], schemas),
            joined(
                inline(each.get("description", "")),
                *([tag("code", _example(each), class_="example")] if "example" in each else []),
            ),
        )
        for each in found.get("parameters", [])
    ]
    heads = (say["parameter"], say["values"], say["description"])
    return _part(say["parameters"], table(heads, rows, "members")) if rows else Html()


def _example(parameter: Mapping[str, Any]) -> str:
    value = parameter["example"]
    return f"{parameter['name']}={str(value).lower() if isinstance(value, bool) else value}"


def _bodies(found: Mapping[str, Any], say: Mapping[str, str]) -> Html:
    content = found.get("requestBody", {}).get("content", {})
    rows: list[tuple[str, ...]] = [
        (tag("code", media_type), inline(say[_BODIES.get(media_type, "raw_file")]))
        for media_type in content
        if media_type != "*/*"
    ]
    heads = ("Content-Type", say["description"])
    return _part(say["bodies"], table(heads, rows)) if rows else Html()


def _formats(found: Mapping[str, Any], say: Mapping[str, str]) -> Html:
    content = found["responses"].get("200", {}).get("content", {})
    rows: list[tuple[str, ...]] = [
        (
            tag("code", each["x-format"]["name"]),
            tag("code", media_type),
            joined(
                tag("strong", each["x-format"]["title"]),
                say["stop"],
                each["x-format"]["description"],
                _written(each, say),
            ),
        )
        for media_type, each in content.items()
        if "x-format" in each
    ]
    heads = ("?format=", say["accept"], say["description"])
    return _part(say["formats"], table(heads, rows, "members")) if rows else Html()


def _written(content: Mapping[str, Any], say: Mapping[str, str]) -> Html:
    """Return the example of a response, behind a click."""
    if "example" not in content:
        return Html()
    value = content["example"]
    text = (
        value
        if isinstance(value, str)
        else _compact(json.dumps(value, ensure_ascii=False, indent=2))
    )
    return tag("details", tag("summary", say["example"]), _code(text))


def _compact(text: str) -> str:
    """Return JSON with each list of numbers, and of pairs of them, on one line."""
    text = _PAIR.sub(r"[\1, \2]", text)
    return _PAIRS.sub(
        lambda match: re.sub(r"\s+(?=[\[\]])", "", match[0]).replace(",[", ", ["), text
    )


def _errors(found: Mapping[str, Any], say: Mapping[str, str]) -> Html:
    rows = [
        tag(
            "div",
            tag("dt", status),
            tag("dd", *(tag("a", code, href=f"#error-{code}") for code in media["x-codes"])),
        )
        for status, response in found["responses"].items()
        if (media := response.get("content", {}).get(PROBLEM, {})).get("x-codes")
    ]
    title = tag("summary", say["function_errors"])
    return tag("details", title, tag("dl", *rows, class_="codes"), class_="more")
