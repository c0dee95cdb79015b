"""Measures how soon a revoked key is refused: `python bench/revocation.py [--rounds N]`.

A key is replaced in the settings; the time counts from there until the service refuses the old one
on a connection that is open already. With it, what polling costs a service that does nothing else.
Prints Markdown.
"""

import argparse
import hashlib
import random
import ssl
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpx2

from bench.figures import spread, table
from bench.machine import describe
from bench.processes import cpu_s
from bench.servers import Server, launch_ours
from bench.variants import CRNN
from middleware.key_format import key_id_of, new_key
from scripts import key_text
from scripts.key_file import KeyFile

POLLS_S = (0.25, 1.0)
REFUSED = 401
VARIABLES = {"OCR_LIMITS__FAILED_AUTHENTICATIONS": "100000/minute"}


def main() -> None:
    """Print a line for each time between two polls."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--idle-s", type=float, default=20, help="how long the idle time counts")
    arguments = parser.parse_args()
    rows = []
    for poll_s in POLLS_S:
        variables = {**VARIABLES, "OCR_TLS__RELOAD_POLL_S": str(poll_s)}
        with launch_ours(CRNN, variables=variables) as server:
            found = _revoke(server, arguments.rounds)
            before = cpu_s([server.process.pid])
            time.sleep(arguments.idle_s)
            share = (cpu_s([server.process.pid]) - before) / arguments.idle_s
        rows.append([f"{poll_s:g}", spread(found, 2), f"{share:.2%}"])
    print(f"{describe()}\n")
    print(
        table(
            ["reload_poll_s", "seconds until the old key is refused", "of a core, while idle"], rows
        )
    )


def _revoke(server: Server, rounds: int) -> list[float]:
    """Return the seconds from each replacement of the key until the old one is refused."""
    home = Path(server.directory.name)
    file = KeyFile(home / "settings.toml", home / "settings.local.toml")
    key, found = server.keys[0], []
    trust = ssl.create_default_context(cafile=server.ca)
    address = f"https://localhost:{server.port}/ocr"
    with httpx2.Client(http2=True, http1=False, verify=trust) as client:
        client.post(address, headers={"x-api-key": key})
        for _ in range(rounds):
            time.sleep(random.random())  # noqa: S311 - the polls are not in step with it
            after = new_key(key_id_of(key) or "")
            digest = hashlib.sha256(after.encode()).hexdigest()
            file.edit(lambda text: key_text.changed(text, "x", 0, {"sha256": digest}), {})  # noqa: B023
            began = time.monotonic()
            while client.post(address, headers={"x-api-key": key}).status_code != REFUSED:
                time.sleep(0.005)
            found.append(time.monotonic() - began)
            key = after
    return found


if __name__ == "__main__":
    main()
