"""Measures the service's overhead: `python bench/overhead.py [--images DIR] [--rounds N]`.

curl sends requests to the service as shipped, over one open HTTP/2 connection, with a key and
limits; the same pipeline without a server reads the same images in alternation. The overhead is
curl's time less the reader's own time *of the same request*: TLS, HTTP/2, middleware, parsing the
form, the response, and curl itself. Prints Markdown; exit status 1 where it exceeds 2 % of a
reading.
"""

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.figures import table
from bench.images import load_images
from bench.machine import describe
from bench.processes import cpu_s
from bench.report import interval
from bench.servers import Server, launch_ours
from bench.variants import CRNN, Driver

_TARGET = 0.02
Asked = tuple[float, float]  # the client's ms, the reader's


def ask(server: Server, images: Sequence[str]) -> list[Asked]:
    """Send the images one after another over one connection; the first opens it and is left out."""
    command = ["curl"]
    for image in [images[0], *images]:
        command += ["--next"] * (len(command) > 1)
        command += ["--silent", "--show-error", "--fail", "--http2", "--cacert", server.ca,
                    "--header", f"X-API-Key: {server.keys[0]}", "--header", "Expect:",
                    "--form", f"image=@{image}", "--write-out", "\n%{time_total}\n",
                    f"https://localhost:{server.port}/ocr"]  # fmt: skip
    output = subprocess.run(command, capture_output=True, check=True).stdout.split(b"\n")[:-1]
    answers = zip(output[::2], output[1::2], strict=True)
    asked = [(float(s) * 1e3, json.loads(body)["timing_ms"]["total"]) for body, s in answers]
    return asked[1:]


def read(driver: Driver, images: Sequence[str]) -> list[Asked]:
    """Read the images one after another in-process."""
    results = driver.ask({"images": list(images), "concurrency": 1})["results"]
    return [(result["ms"], result["reading_ms"]) for result in results]


def main() -> int:
    """Measure what the command line asks for; return the exit status."""
    parser = argparse.ArgumentParser(prog="overhead", description=__doc__)
    parser.add_argument("--images", type=Path, help="folder with labels.jsonl")
    parser.add_argument("--take", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=10, help="each sends every image once")
    parser.add_argument("--recogniser", default=CRNN)
    parser.add_argument("--app", default="app:app")
    arguments = parser.parse_args()
    images = list(load_images(arguments.images, arguments.take))
    print(describe() + "\n")
    sealed: list[Asked] = []
    bare: list[Asked] = []
    web_s = 0.0
    with launch_ours(arguments.recogniser, warm=True, app=arguments.app) as server:
        driver = Driver("bench.inprocess", arguments.recogniser)
        try:
            ask(server, images), read(driver, images)
            for _ in range(arguments.rounds):
                before = cpu_s([server.process.pid])
                sealed += ask(server, images)
                web_s += cpu_s([server.process.pid]) - before
                bare += read(driver, images)
        finally:
            driver.close()
    reading_ms = statistics.median(reading for _, reading in sealed)
    own = [asked - reading for asked, reading in sealed]
    paired = [ours[0] - theirs[0] for ours, theirs in zip(sealed, bare, strict=True)]
    web_ms = 1e3 * web_s / (len(sealed) + arguments.rounds)
    print(f"{len(sealed)} requests; median reading {reading_ms:.0f} ms")
    print(f"Web process: {web_ms:.1f} ms of processor a request\n")
    rows = [["less the same request's reading", interval(own, reading_ms)],
            ["less the same image in-process", interval(paired, reading_ms)]]  # fmt: skip
    print(table(["curl's clock", "ms and % of a reading, with 95 % interval"], rows))
    return int(statistics.median(own) > _TARGET * reading_ms)


if __name__ == "__main__":
    sys.exit(main())
