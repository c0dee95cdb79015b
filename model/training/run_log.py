"""The log of a run: JSON lines with the seconds since its start."""

import json
import time
from pathlib import Path
from typing import Any


class RunLog:
    """Prints records and appends them to a file."""

    def __init__(self, path: Path) -> None:
        self.started = time.monotonic()
        self._path = path

    def write(self, **values: Any) -> None:
        """Write a record."""
        elapsed_s = time.monotonic() - self.started
        line = json.dumps({"t": round(elapsed_s, 1), **values})
        print(line, flush=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
