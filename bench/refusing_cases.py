"""What bench/refusals.py asks, the answer that each of it must get, and the settings for it.

The first key and the address get limits that no bench reaches, counted over a second, so that the
storage holds as many counts as under the shipped ones; the second key one that is soon used up and
lasts. A function more takes 1,000 bytes, for bodies that are too large and cheap; and the places
are as many on every machine.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bench.asking import Request

WINDOW = 65_535  # what a client may send before anybody has looked at the request
MAX_BODY = 5_000_000
PROCESSES, WAITING = 2, 8  # together the places that requests can hold
SMALL = b"no image"
AMPLE, SCANT = "100000/second", "10/hour"
KEY_LIMITS = (
    {"*": AMPLE, "/ocr": AMPLE, "/small": AMPLE},
    {"*": AMPLE, "/ocr": SCANT},
)
FUNCTION = {
    "path": "/small",
    "handler": "handlers.ocr:recognize",
    "scope": "ocr",
    "limits": [AMPLE],
    "max_body_bytes": 1000,
}
VARIABLES = {
    "OCR_FUNCTIONS": json.dumps([FUNCTION]),
    "OCR_ENGINE__PROCESSES": str(PROCESSES),
    "OCR_ENGINE__MAX_WAITING": str(WAITING),
    "OCR_LIMITS__PER_ADDRESS": AMPLE,
    "OCR_LIMITS__FAILED_AUTHENTICATIONS": AMPLE,
}
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
