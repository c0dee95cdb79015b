"""The request body of POST /ocr, in each form that a client may send it."""

from typing import Any

from handlers.description import Text
from handlers.openapi.interface import Interface
from handlers.openapi.parameters import as_properties

_FILE = {"type": "string", "format": "binary"}
_BASE64 = {"type": "string", "format": "byte", "contentEncoding": "base64"}
_TINY = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAG7buVgAAAABJRU5ErkJggg=="
)
"""A PNG of one white pixel."""


def _up_to(interface: Interface) -> dict[str, int]:
    return {"minItems": 1, "maxItems": interface.max_images}


def request_body(interface: Interface) -> dict[str, Any]:
    """Return the request body object."""
    files = {"type": "array", "items": _FILE, **_up_to(interface)}
    form = {
        "type": "object",
        "properties": {
            "image": {
                **files,
                "description": Text(
                    "One or more files, here or as `file`.",
                    "一个或多个文件，放在此处或 `file` 中。",
                ),
            },
            "file": {
                **files,
                "description": Text("The same, under another name.", "同上，另一名称。"),
            },
            **as_properties(),
        },
        "additionalProperties": False,
    }
    binary = {"schema": _FILE}
    return {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": form},
            "application/json": {
                "schema": {"$ref": "#/components/schemas/JsonRequest"},
                "examples": {"image": {"value": {"image": _TINY}}},
            },
            "application/octet-stream": binary,
            "application/pdf": binary,
            "image/*": binary,
        },
    }


def json_request(interface: Interface) -> dict[str, Any]:
    """Return the schema of a JSON body."""
    return {
        "type": "object",
        "description": Text("Files as base64, and parameters.", "Base64 编码的文件及参数。"),
        "properties": {
            "image": {**_BASE64, "description": Text("A file.", "一个文件。")},
            "images": {
                "type": "array",
                "items": _BASE64,
                **_up_to(interface),
                "description": Text("Several files.", "多个文件。"),
            },
            **as_properties(),
        },
        # Written with anyOf, it would make generators of clients give up the type of the body.
        "if": {"not": {"required": ["image"]}},
        "then": {"required": ["images"]},
        "additionalProperties": False,
    }
