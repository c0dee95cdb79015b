"""The requests of bench/refusals.py, the status expected of each, and the service's settings.

The first key and the address have limits that no bench reaches, counted over a second, so that the
storage holds as many counts as with the shipped limits. The second key's limit is used up at once
and stays used up. An additional function accepts 1,000 bytes, so that a body that is too large is
still cheap to send. The number of slots is the same on every machine.

The client resets a stream whose upload was refused early, a thousand a second: far more than
`control_frames_per_s` allows. That limit is raised here, as an operator would raise it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from scripts.http2_client import Request

WINDOW = 65_535  # bytes that a client may send before its request is admitted
MAX_BODY = 5_000_000
PROCESSES, WAITING = 2, 8  # together the number of slots
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
    "OCR_TLS__CONTROL_FRAMES_PER_S": "100000",
}
HEALTH = Request("GET", "/healthz")


@dataclass(frozen=True)
class Case:
    """A request and the status expected of it."""

    title: str
    status: int
    request: Request
    target: bool = True
    busy: bool = False
    upload: bool = False
    """Whether the body is so large that fewer requests are sent, over an open connection only."""


def cases(key: str, used_up: str) -> Sequence[Case]:
    """Return the requests; their bodies are small except where the title says otherwise."""

    def ocr(key: str | None, body: bytes = SMALL) -> Request:
        length = {"content-length": str(len(body))}
        return Request("POST", "/ocr", headers(key) | length, body)

    long = {"content-length": str(MAX_BODY + 1)}
    declared = Request("POST", "/ocr", headers(key) | long, unfinished=True)
    counted = Request("POST", "/small", headers(key), bytes(2000))
    counted_long = Request("POST", "/ocr", headers(key), bytes(MAX_BODY + 1))
    ahead = bytes(WINDOW)
    return (
        Case("401, no key", 401, ocr(None)),
        Case("413, by Content-Length", 413, declared),
        Case("413, counted: 2 kB of 1 kB allowed", 413, counted),
        Case("429, the key's limit used up", 429, ocr(used_up)),
        Case("503, all slots in use", 503, ocr(key), busy=True),
        Case("404", 404, Request("GET", "/nothing"), target=False),
        Case("200, /healthz", 200, HEALTH, target=False),
        Case("401, 64 KiB sent ahead", 401, ocr(None, ahead), target=False),
        Case("503, 64 KiB sent ahead", 503, ocr(key, ahead), target=False, busy=True),
        Case("413, counted: 5 MB", 413, counted_long, target=False, upload=True),
    )


def headers(key: str | None) -> dict[str, str]:
    """Return the headers of an image upload, with a key or without."""
    return {"content-type": "image/jpeg"} | ({"x-api-key": key} if key else {})


FLOOR = Case("200, an app that does nothing else", 200, HEALTH, target=False)
