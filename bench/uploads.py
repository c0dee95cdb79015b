"""Measures uploads over long round trips: `python bench/uploads.py [--rounds 15]`.

curl sends the service 5 MB that are no image, so that the response (415) comes as soon as the whole
body has arrived: twice over one connection, alternating HTTP/2 and HTTP/1.1, at several round trip
times. The first upload opens the connection and waits a round trip longer for HTTP/2's window.
Prints Markdown; exit status 1 where the second upload takes HTTP/2 more than 1.5 times as long at
40 ms.
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.figures import in_turn, spread, table
from bench.machine import describe
from bench.relay import delayed
from bench.servers import launch_ours

TARGET = 1.5
AT_MS = 40
BODY_BYTES = 4_999_000  # a little under max_body_bytes
ANSWER = 415
RECOGNISER = "sealed-crnn-v2"  # is not started
VERSIONS = {"HTTP/2": "--http2", "HTTP/1.1": "--http1.1"}


def uploads_ms(
    port: int, ca: Path | str, key: str, body: Path, version: str, *, path: str = "/ocr"
) -> list[float]:
    """Send the body twice over one connection; return how long each time took."""
    command = ["curl"]
    for _ in range(2):
        # Without Expect: HTTP/1.1 would spend a round trip on asking whether it may.
        command += ["--next"] * (len(command) > 1)
        command += ["--silent", "--show-error", VERSIONS[version], "--cacert", str(ca),
                    "--header", f"X-API-Key: {key}", "--header", "Expect:",
                    "--header", "Content-Type: application/octet-stream",
                    "--data-binary", f"@{body}", "--output", os.devnull, "--write-out",
                    "%{http_code} %{num_connects} %{time_total}\n",
                    f"https://localhost:{port}{path}"]  # fmt: skip
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    said = [line.split() for line in output.splitlines()]
    if [(int(code), int(connects)) for code, connects, _ in said] != [(ANSWER, 1), (ANSWER, 0)]:
        raise RuntimeError(f"not the answers that were expected: {output}")
    return [float(seconds) * 1e3 for _, _, seconds in said]


def main() -> int:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="uploads", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--round-trips-ms", default="0,40,100")
    arguments = parser.parse_args()
    print(describe() + "\n")
    round_trips = [int(each) for each in arguments.round_trips_ms.split(",")]
    took: Mapping[tuple[int, str], list[list[float]]] = {
        (round_trip, version): [] for round_trip in round_trips for version in VERSIONS
    }
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(launch_ours(RECOGNISER))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        body = folder / "body"
        body.write_bytes(b"\xa5" * BODY_BYTES)
        ports = {ms: stack.enter_context(delayed(server.port, ms / 2000)) for ms in round_trips}
        for number in range(arguments.rounds + 1):
            for round_trip, version in in_turn(list(took), number):
                both = uploads_ms(ports[round_trip], server.ca, server.keys[0], body, version)
                if number:  # the first round warms up
                    took[round_trip, version].append(both)
    return show(took, round_trips)


def show(took: Mapping[tuple[int, str], list[list[float]]], round_trips: Sequence[int]) -> int:
    """Print how long each took; return the exit status."""
    rows, ratios = [], {}
    for number, upload in enumerate(("first, with the handshake", "next")):
        for ms in round_trips:
            new, old = ([both[number] for both in took[ms, version]] for version in VERSIONS)
            ratios[number, ms] = statistics.median(new) / statistics.median(old)
            ratio = f"{ratios[number, ms]:.2f}x"
            rows.append([upload, str(ms), spread(new), spread(old), ratio])
    head = ["upload", "round trip, ms", *(f"{version}, ms" for version in VERSIONS), "ratio"]
    print(table(head, rows))
    return int(ratios.get((1, AT_MS), 0) > TARGET)


if __name__ == "__main__":
    sys.exit(main())
