"""The response formats, and how the parts of a document in one of them are put together."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Page = dict[str, Any]
PAGE_BREAK = "\n\f"


@dataclass(frozen=True, slots=True)
class Format:
    """A format of the service.

    `from_pages` makes it of the pages of a stream; of other formats the service's whole response is
    taken, and `join` puts those of several requests together. With neither, a document is read in
    one request.
    """

    name: str
    extension: str
    description: str
    binary: bool = False
    from_pages: Callable[[Sequence[Page], bool], bytes] | None = None
    join: Callable[[Sequence[bytes]], bytes] | None = None


def json_of(pages: Sequence[Page], as_document: bool) -> bytes:  # noqa: FBT001
    """Return the JSON document that the service sends for an image, or for a document."""
    identifiers = list(dict.fromkeys(page["request_id"] for page in pages))
    if not as_document:
        [page] = pages
        document = {name: value for name, value in page.items() if name not in {"image", "page"}}
    else:
        left_out = {"image", "request_id"}
        document = {
            "text": text_of_pages(pages),
            "pages": [
                {name: value for name, value in page.items() if name not in left_out}
                for page in pages
            ],
            "model": pages[0]["model"],
            "timing_ms": _sums([page["timing_ms"] for page in pages]),
            "request_id": identifiers[0],
        }
        if len(identifiers) > 1:
            document["request_ids"] = identifiers
    return (json.dumps(document, ensure_ascii=False) + "\n").encode()


def text_of_pages(pages: Sequence[Page]) -> str:
    """Return the text of all pages, as the service joins it."""
    return PAGE_BREAK.join(page["text"] for page in pages)


def _text(pages: Sequence[Page], as_document: bool) -> bytes:  # noqa: ARG001, FBT001
    return (text_of_pages(pages) + "\n").encode()


def _ndjson(pages: Sequence[Page], as_document: bool) -> bytes:  # noqa: ARG001, FBT001
    return b"".join((json.dumps(page, ensure_ascii=False) + "\n").encode() for page in pages)


def _sums(times: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: round(sum(each[name] for each in times), 1) for name in times[0]}


def _one_header(parts: Sequence[bytes]) -> bytes:
    """Join tables whose first lines are the same."""
    rest = (part.split(b"\n", 1)[1] for part in parts[1:])
    return b"".join([parts[0], *rest])


def _separate(parts: Sequence[bytes]) -> bytes:
    """Join Markdown as the service separates its pages."""
    return b"\n\n* * *\n\n".join(part.rstrip(b"\n") for part in parts) + b"\n"


FORMATS = {
    each.name: each
    for each in (
        Format("text", "txt", "the text alone", from_pages=_text),
        Format("json", "json", "text, lines, boxes, blocks, tables", from_pages=json_of),
        Format("ndjson", "ndjson", "one line of JSON per page", from_pages=_ndjson),
        Format("tsv", "tsv", "a table of words, as tesseract writes it", join=_one_header),
        Format("markdown", "md", "headings, paragraphs and tables", join=_separate),
        Format("hocr", "hocr", "hOCR"),
        Format("alto", "xml", "ALTO 4 XML"),
        Format("pdf", "pdf", "a searchable PDF", binary=True),
        Format("png", "png", "the image of one page with its lines drawn over it", binary=True),
    )
}
