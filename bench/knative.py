"""The service as deploy/knative starts it: plain HTTP, for a proxy in the same pod."""

import dataclasses
import hashlib
import re
import sys
import tempfile
from pathlib import Path

from bench.processes import free_port
from bench.servers import AMPLE, KEY, LOCAL, ROOT, Server, start
from middleware.key_format import new_key

HEADERS = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}


@dataclasses.dataclass
class Pod(Server):
    """A pod without its queue-proxy, whose headers the client sends itself."""

    @property
    def job(self) -> dict[str, object]:
        """What bench/load.py must know."""
        return {**super().job, "headers": {"X-API-Key": self.keys[0], **HEADERS}}


def launch_knative(recogniser: str) -> Server:
    """Start it by `python -m service`, with the settings of deploy/knative; redis is left out."""
    directory = tempfile.TemporaryDirectory(prefix="sealed-ocr-bench-")
    home, port, token = Path(directory.name), free_port(), new_key("bench000")
    text = (ROOT / "deploy" / "knative" / "settings.toml").read_text("utf-8")
    text = re.sub(r"(?m)^bind = .*$", f'bind = ["127.0.0.1:{port}"]', text)
    (home / "settings.toml").write_text(text, "utf-8")
    limits = ", ".join(f'"{path}" = "{limit}"' for path, limit in AMPLE.items())
    digest = hashlib.sha256(token.encode()).hexdigest()
    local = LOCAL.format(many="100000/minute", recogniser=recogniser)
    local += KEY.format(id="bench000", limits=f"{{ {limits} }}", digest=digest)
    (home / "settings.local.toml").write_text(local, "utf-8")
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "service",
        "--config",
        home / "settings.toml",
    ]
    process = start(command, home, {"PYTHONPATH": str(ROOT)})
    return Pod(process, port, directory, http2=False, keys=(token,))
