"""The format of the log: one line of ASCII JSON per entry."""

import json
import time


def entry(**fields: object) -> str:
    """Return a log line. JSON escapes control characters, so no header can forge a second line."""
    return json.dumps({"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **fields})
