"""GET / and GET /assets/{name}: the page for people, and the files that it and /docs load."""

import html
import json
from functools import cache
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from handlers.cached_response import Representation, cached_response
from handlers.description import described
from handlers.formats.registry import formats
from handlers.ocr import recognize
from handlers.openapi.interface import Interface

FOLDER = Path(__file__).resolve().parents[1] / "web"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
INDEX = "index.html"
FACTS = "@facts@"  # in INDEX: what the page is told of the service, as JSON in an attribute
DOCS = "/docs"

# All that the page may do: its own files, requests to its own origin, images from memory.
# 'trusted-types' leaves the page no way to parse a text as HTML.
PAGE_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    # <input capture> opens the camera's own program and needs no permission.
    "permissions-policy": ", ".join(
        f"{feature}=()"
        for feature in (
            *("accelerometer", "camera", "display-capture", "geolocation", "gyroscope"),
            *("magnetometer", "microphone", "midi", "payment", "usb"),
        )
    ),
    "cross-origin-opener-policy": "same-origin",
}
FILE_HEADERS = {"cross-origin-resource-policy": "same-origin"}


@described("handlers.openapi.own:page")
async def page(request: Request) -> Response:
    """Return the page."""
    return _response(request, _index(_facts(request.app.state.interface)), PAGE_HEADERS)


@described("handlers.openapi.own:asset")
async def asset(request: Request) -> Response:
    """Return the file of this name.

    Raises:
        HTTPException: 404, there is none.

    """
    file = _files().get(request.path_params["name"])
    if file is None:
        raise HTTPException(404)
    return _response(request, file, {})


def _response(request: Request, file: Representation, headers: dict[str, str]) -> Response:
    return cached_response(request, file, headers={**FILE_HEADERS, **headers})


@cache
def _files() -> dict[str, Representation]:
    """Read the folder once, at the first request: a name is looked up and never made a path."""
    return {
        file.name: Representation.of(file.read_bytes(), TYPES[file.suffix])
        for file in FOLDER.iterdir()
        if file.suffix in TYPES
    }


@cache
def _index(facts: str) -> Representation:
    """Return the page with what it is told of the service."""
    text = (FOLDER / INDEX).read_text(encoding="utf-8")
    return Representation.of(text.replace(FACTS, html.escape(facts)).encode(), "text/html")


@cache
def _facts(interface: Interface) -> str:
    """Return as JSON where the page sends files, how large they may be, and what it may ask for."""
    reading = next((each for each in interface.functions if each.handler is recognize), None)
    facts = {
        "path": reading.path if reading else "/ocr",
        "max_bytes": reading.max_body_bytes if reading else 0,
        "needs_key": reading is None or not reading.public,
        "docs": any(each.path == DOCS for each in interface.functions),
        "formats": [
            {
                "name": each.name,
                "extension": each.extension,
                "title": each.title,
                "description": each.description,
                "single_page": each.single_page,
            }
            for each in formats()
        ],
    }
    return json.dumps(facts, ensure_ascii=False)
