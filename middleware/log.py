"""How everything that is logged looks: one line of JSON, in ASCII."""

import json
import time


def entry(**facts: object) -> str:
    """Return a line of the log; JSON escapes every control character, so no header forges one."""
    return json.dumps({"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **facts})
