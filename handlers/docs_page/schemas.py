"""The schemas of results as tables."""

from collections.abc import Mapping
from typing import Any

from handlers.docs_page.html import Html, inline, joined, table, tag

_FIRST = (
    "ImageResult", "DocumentResult", "ImagesResult", "StreamLine", "StreamedPage", "Document",
    "NumberedPage", "Page", "Line", "Word", "Block", "Cell", "Timing", "PageImage", "Problem",
)  # fmt: skip
_WHOLE = ("Page", "Document")  # others have all their members, and a few more


def result_schemas(document: Mapping[str, Any], say: Mapping[str, str]) -> Html:
    """Return a table for each schema of an object."""
    schemas = document["components"]["schemas"]
    names = [name for name in _FIRST if name in schemas]
    return joined(*(_schema(name, schemas, say) for name in names))


def _schema(name: str, schemas: Mapping[str, Any], say: Mapping[str, str]) -> Html:
    schema = schemas[name]
    members = dict(schema.get("properties", {}))
    pieces = [tag("p", inline(schema.get("description", "")))]
    for whole in _WHOLE:
        others = schemas[whole]["properties"]
        if name != whole and others.items() <= members.items():
            members = {each: members[each] for each in members if each not in others}
            link = tag("a", whole, href=f"#schema-{whole}")
            pieces.append(tag("p", say["members_of"], " ", link, class_="whole"))
    pieces.append(
        _members(members, schema.get("required", []), schemas, say)
        if members
        else tag("p", kind(schema, schemas))
    )
    return tag("article", tag("h3", tag("code", name)), *pieces, id=f"schema-{name}")


def _members(
    members: Mapping[str, Any],
    required: list[str],
    schemas: Mapping[str, Any],
    say: Mapping[str, str],
) -> Html:
    rows: list[tuple[str, ...]] = [
        (
            joined(
                tag("code", member),
                *([] if member in required else [tag("small", say["optional"])]),
            ),
            kind(each, schemas),
            inline(each.get("description") or _of_reference(each, schemas)),
        )
        for member, each in members.items()
    ]
    return table((say["member"], say["type"], say["description"]), rows, "members")


def kind(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Html:
    """Return what a value is: a type, a list of values, or links to other schemas."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if "enum" in schemas[name] or "properties" not in schemas[name]:
            return _named(name, schemas)
        return tag("a", name, href=f"#schema-{name}")
    if "anyOf" in schema:
        return _alternatives([kind(each, schemas) for each in schema["anyOf"]])
    if "enum" in schema:
        return tag("span", *(tag("code", str(each)) for each in schema["enum"]), class_="values")
    if schema.get("type") == "array":
        return joined("[", kind(schema["items"], schemas), "]")
    named = schema.get("type", "")
    return joined(" | ".join(named) if isinstance(named, list) else named)


def _named(name: str, schemas: Mapping[str, Any]) -> Html:
    """Return a small schema: its values, or its type."""
    if name == "Code":
        return tag("a", "string", href="#errors")
    return kind(schemas[name], schemas)


def _alternatives(kinds: list[Html]) -> Html:
    return Html(" | ".join(kinds))


def _of_reference(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    name = schema.get("$ref", schema.get("items", {}).get("$ref", "")).rpartition("/")[2]
    text: str = schemas.get(name, {}).get("description", "")
    return text
