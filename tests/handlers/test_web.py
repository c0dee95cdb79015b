"""GET / and GET /assets/{name}: the page's files, what they may do, and their size."""

import asyncio
import html
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from handlers.formats.registry import formats
from handlers.web import FOLDER, asset, page
from service.interface import interface_of
from settings import load_settings
from tests.asgi import scope_of

INTERFACE = interface_of(
    load_settings(Path(__file__).parents[2] / "settings.toml", {}), development_certificate=True
)
MAX_BYTES = 60 * 1024  # of the page and all that it loads
OWN = sorted(file for file in FOLDER.iterdir() if file.suffix in {".css", ".html", ".js", ".svg"})
# What would store something, parse a text as HTML or run it as code.
FORBIDDEN = re.compile(
    r"localStorage|sessionStorage|indexedDB|document\.cookie|caches\.|serviceWorker|innerHTML"
    r"|outerHTML|insertAdjacentHTML|document\.write|DOMParser|setHTML|\beval\b|new Function"
)
# What is not the page's own: another host, and code or style within HTML.
ELSEWHERE = re.compile(r"""(?:https?:|wss?:|["'(=])//|@import|url\(""")
INLINE = re.compile(r"""<style|\sstyle=|\son\w+=|javascript:|<script(?![^>]*\ssrc=)""")
NAMESPACE = "http://www.w3.org/2000/svg"  # a name, which no browser fetches


def _get(name: str | None = None, **headers: str) -> Response:
    """Return the response for an asset, or for the page."""
    sent = {key.replace("_", "-"): value for key, value in headers.items()}
    scope = scope_of(headers=sent)
    scope["path_params"] = {} if name is None else {"name": name}
    scope["app"] = SimpleNamespace(state=SimpleNamespace(interface=INTERFACE))
    return asyncio.run((page if name is None else asset)(Request(scope)))


def _facts() -> dict[str, Any]:
    """Return what the page is told of the service."""
    [shown] = re.findall(r'data-service="([^"]*)"', bytes(_get().body).decode())
    told: dict[str, Any] = json.loads(html.unescape(shown))
    return told


def test_the_page_knows_the_function_that_reads() -> None:
    """Its path and its limit, from the settings; and whether it needs a key."""
    facts = _facts()
    assert facts["path"] == "/ocr"
    assert facts["max_bytes"] == 5_000_000
    assert facts["needs_key"]


def test_the_page_may_do_nothing_but_its_work() -> None:
    """Its policy allows its own files and requests, and images from memory; no inline code."""
    policy = dict(
        directive.split(" ", 1)
        for directive in _get().headers["content-security-policy"].split("; ")
    )
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "img-src": "'self' blob:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    assert "camera=()" in _get().headers["permissions-policy"]


def test_the_page_lists_the_formats_of_the_registry() -> None:
    """Each, in its order, with what the menu shows."""
    listed = _facts()["formats"]
    assert [each["name"] for each in listed] == [each.name for each in formats()]
    assert all(len(each["title"]) == len(each["description"]) == 2 for each in listed)


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        (None, "text/html; charset=utf-8"),
        ("page.css", "text/css; charset=utf-8"),
        ("page.js", "text/javascript; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
    ],
)
def test_a_file_is_sent_once(name: str | None, media_type: str) -> None:
    """With its type, and with 304 and no content to a client that has it."""
    first = _get(name)
    assert (first.status_code, first.headers["content-type"]) == (200, media_type)
    assert first.headers["cache-control"] == "no-cache"
    for known in (first.headers["etag"], f'"other", W/{first.headers["etag"]}', "*"):
        again = _get(name, if_none_match=known)
        assert (again.status_code, again.body) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
    assert _get(name, if_none_match='"other"').status_code == 200


@pytest.mark.parametrize(
    "name",
    ["", "..", "../app.py", "..%2fapp.py", "/etc/passwd", "__init__.py", "index.html", "page.js/"],
)
def test_nothing_else_is_sent(name: str) -> None:
    """A name is looked up among the files; it never becomes a path."""
    with pytest.raises(HTTPException) as raised:
        _get(name)
    assert raised.value.status_code == 404


def test_the_page_is_small() -> None:
    """Everything that a browser loads; docs.css and what else belongs to /docs is not loaded."""
    loaded = [file for file in OWN if not file.name.startswith("docs")]
    assert sum(file.stat().st_size for file in loaded) < MAX_BYTES


@pytest.mark.parametrize("file", OWN, ids=lambda file: file.name)
def test_the_page_asks_no_other_host_and_stores_nothing(file: object) -> None:
    """Nor does it make HTML of a text, or have code or style outside its files."""
    text = (FOLDER / str(file)).read_text("utf-8").replace(NAMESPACE, "")
    assert FORBIDDEN.findall(text) + ELSEWHERE.findall(text) + INLINE.findall(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "localStorage.key = key",
        "node.innerHTML = line.text",
        'fetch("https://example.org")',
        '<img src="//example.org/x.png">',
        '<p style="color:red">',
        '<button onclick="go()">',
        "<script>go()</script>",
    ],
)
def test_such_a_text_would_be_found(text: str) -> None:
    """Negative control."""
    assert FORBIDDEN.search(text) or ELSEWHERE.search(text) or INLINE.search(text)
