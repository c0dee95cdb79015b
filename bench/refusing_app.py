"""The same app with limits for bench/refusals.py, and for nothing else.

`hypercorn --config FILE bench.refusing_app:app`, where FILE stands beside what bench/servers.py
writes: the first key and the address get limits that no bench reaches, counted over a second, so
that the storage holds as many counts as under the shipped ones; the second key one that is soon
used up and lasts. A function more takes 1,000 bytes, for bodies that are too large and cheap; and
the places are as many on every machine.
"""

import json
import os
import tomllib
from pathlib import Path

from bench.refusing_cases import PROCESSES, WAITING

AMPLE, SCANT = "100000/second", "10/hour"
SMALL = {
    "path": "/small",
    "handler": "handlers.ocr:recognize",
    "scope": "ocr",
    "limits": [AMPLE],
    "max_body_bytes": 1000,
}

_local = Path(os.environ["OCR_SETTINGS"]).with_name("settings.local.toml")
_first, _second = tomllib.loads(_local.read_text("utf-8"))["keys"]
_first["limits"] = {"*": AMPLE, "/ocr": AMPLE, "/small": AMPLE}
_second["limits"] = {"*": AMPLE, "/ocr": SCANT}
os.environ |= {
    "OCR_KEYS": json.dumps([_first, _second]),
    "OCR_FUNCTIONS": json.dumps([SMALL]),
    "OCR_ENGINE__PROCESSES": str(PROCESSES),
    "OCR_ENGINE__MAX_WAITING": str(WAITING),
    "OCR_LIMITS__PER_ADDRESS": AMPLE,
    "OCR_LIMITS__FAILED_AUTHENTICATIONS": AMPLE,
}

from app import app  # noqa: E402 - it reads the variables

__all__ = ["app"]
