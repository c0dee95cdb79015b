"""The formats of a response of POST /ocr, from the registry that serves them."""

from typing import Any

from handlers.description import Text
from handlers.formats.format import Format
from handlers.formats.registry import formats
from handlers.openapi.line_schemas import ref
from handlers.openapi.sample_page import example, is_text

_RESULTS = ("ImageResult", "DocumentResult", "ImagesResult")


def response_content() -> dict[str, Any]:
    """Return the content of a response: each format by its media type, with its name."""
    return {
        each.media_type: {
            **_content(each),
            "x-format": {
                "name": each.name,
                "title": Text(*each.title),
                "description": Text(*each.description),
                "extension": each.extension,
            },
        }
        for each in formats()
    }


def _content(each: Format) -> dict[str, Any]:
    if not is_text(each):
        return {"schema": {"type": "string", "format": "binary"}}
    found: dict[str, Any] = {"schema": {"type": "string"}, "example": example(each)}
    if each.media_type == "application/json":
        found["schema"] = {"anyOf": [ref(name) for name in _RESULTS]}
    if each.name == "ndjson":
        found["x-line-schema"] = ref("StreamLine")
    return found
