"""What bench/refusals.py asks, and the answer that each of it must get."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.asking import Request

WINDOW = 65_535  # what a client may send before anybody has looked at the request
MAX_BODY = 5_000_000
PROCESSES, WAITING = 2, 8  # together the places that requests can hold
SMALL = b"no image"
HEALTH = Request("GET", "/healthz")


@dataclass(frozen=True)
class Case:
    """A request and the answer it must get."""

    title: str
    status: int
    request: Request
    target: bool = True
    busy: bool = False
    upload: bool = False
    """Whether so much is sent that fewer are enough, over an open connection only."""


def cases(key: str, used_up: str) -> Sequence[Case]:
    """Return what is asked; small bodies, but where more is named."""

    def ocr(key: str | None, body: bytes = SMALL) -> Request:
        length = {"content-length": str(len(body))}
        return Request("POST", "/ocr", headers(key) | length, body)

    long = {"content-length": str(MAX_BODY + 1)}
    told = Request("POST", "/ocr", headers(key) | long, unfinished=True)
    counted = Request("POST", "/small", headers(key), bytes(2000))
    counted_long = Request("POST", "/ocr", headers(key), bytes(MAX_BODY + 1))
    ahead = bytes(WINDOW)
    return (
        Case("401, no key", 401, ocr(None)),
        Case("413, told by Content-Length", 413, told),
        Case("413, counted: 2 kB where 1 is taken", 413, counted),
        Case("429, the key's limit used up", 429, ocr(used_up)),
        Case("503, every place taken", 503, ocr(key), busy=True),
        Case("404", 404, Request("GET", "/nothing"), target=False),
        Case("200, /healthz", 200, HEALTH, target=False),
        Case("401, 64 KiB sent ahead", 401, ocr(None, ahead), target=False),
        Case("503, 64 KiB sent ahead", 503, ocr(key, ahead), target=False, busy=True),
        Case("413, counted: 5 MB", 413, counted_long, target=False, upload=True),
    )


def headers(key: str | None) -> dict[str, str]:
    """Return those of an image, with a key or without."""
    return {"content-type": "image/jpeg"} | ({"x-api-key": key} if key else {})


FLOOR = Case("200, an app that does nothing else", 200, HEALTH, target=False)
