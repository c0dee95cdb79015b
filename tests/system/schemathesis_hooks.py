"""What schemathesis sends: files that can be read, and no valid case that breaks a rule in words.

schemathesis imports this module; tests.system.test_openapi starts it.
"""

import base64
import io
from typing import Any

import schemathesis
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from handlers.formats.registry import formats


def drawn(kind: str) -> bytes:
    """Return a small image or PDF with a word."""
    page = Image.new("L", (96, 40), "white")
    ImageDraw.Draw(page).text((8, 6), "Ab 12", "black", ImageFont.load_default(24))
    stream = io.BytesIO()
    page.save(stream, kind)
    return stream.getvalue()


IMAGES = [drawn(kind) for kind in ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")]
DOCUMENT = drawn("PDF")
FILES = st.sampled_from([*IMAGES, DOCUMENT])
PARTIAL = {each.name for each in formats() if each.partial}
SINGLE_PAGE = {each.name for each in formats() if each.single_page}

schemathesis.openapi.media_type("image/*", st.sampled_from(IMAGES))
schemathesis.openapi.media_type("application/pdf", st.just(DOCUMENT))
schemathesis.openapi.media_type("application/octet-stream", FILES)
schemathesis.openapi.format("binary", FILES)
schemathesis.openapi.format("byte", FILES.map(lambda each: base64.b64encode(each).decode()))
schemathesis.openapi.format("page-ranges", st.sampled_from(["1", "1-", "1-1", "1,1-"]))


@schemathesis.hook
def filter_case(_context: Any, case: Any) -> bool:
    """Keep a case unless it is meant to be valid and breaks a rule that no schema can express."""
    if case.meta is None or case.meta.generation.mode.is_negative:
        return True
    query = dict(case.query or {})
    body = case.body if isinstance(case.body, dict) else {}
    files = [*_list(body.get("image")), *_list(body.get("images")), *_list(body.get("file"))]
    if query.keys() & body.keys() or (isinstance(case.body, dict) and not files):
        return False  # a parameter twice; no file
    given = {**body, **query}
    name = given.get("format", "json")
    if name in SINGLE_PAGE and len(files) > 1:
        return False
    return not given.get("partial") or name in PARTIAL


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
