"""A document of so many pages, as the service answers for it."""

import json

from tests.client.scripted import Answer, Request, refusal


def line(page: int) -> dict[str, object]:
    """Return the line of a stream that a page is."""
    return {
        "image": 1,
        "page": page,
        "text": f"page {page}\u2028",
        "model": "m",
        "timing_ms": {"total": 1.5},
        "request_id": "r",
    }


def chosen(request: Request, pages: int) -> list[int]:
    """Return the page numbers that a request asks for, some of which may not exist."""
    numbers: list[int] = []
    for part in request.query.get("pages", "1-").split(","):
        first, dash, last = part.partition("-")
        end = int(last) if last else pages if dash else int(first)
        numbers += range(int(first), max(end, int(first)) + 1)
    return numbers


def answer(request: Request, pages: int, limit: int = 1000) -> Answer:
    """Return the response of a service that reads `limit` pages per request."""
    numbers = chosen(request, pages)
    if numbers[-1] > pages:
        return refusal(400, "no_such_page", document_pages=pages)
    if len(numbers) > limit:
        return refusal(413, "too_many_pages", document_pages=pages, max_pages=limit)
    if "format" in request.query:
        return Answer(body=b"head\n" + b"".join(b"page %d\n" % number for number in numbers))
    return Answer(body=lines(numbers))


def lines(numbers: list[int]) -> bytes:
    """Return a stream of these pages."""
    return b"".join(json.dumps(line(n), ensure_ascii=False).encode() + b"\n" for n in numbers)
