"""Measures what the formats of a document cost: `python bench/formats.py [--pages 50]`.

Reads a PDF of pages of text in each format in turn, and prints Markdown: the time of a page on the
client's clock, the processor time of the web process and of the engines, bytes, and the memory of
the web process when a tenth of the pages has arrived, and when all have. The image of a page is
encoded in the engine.
"""

import argparse
import ssl
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx2

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.figures import in_turn, table
from bench.machine import describe
from bench.pdf_file import assemble
from bench.processes import cpu_s, role, rss_mb, tree
from bench.servers import Server, launch_ours
from bench.variants import CRNN

FORMATS = ("json", "text", "ndjson", "tsv", "hocr", "alto", "markdown", "pdf")
TEXT = "The quick brown fox jumps over the lazy dog, No. "
HEADS = ("format", "ms a page", "web process, ms a page", "engines, ms a page", "bytes a page",
         "web process, MB at a tenth", "at the end")  # fmt: skip


@dataclass(frozen=True)
class Figures:
    """What one response took."""

    seconds: float
    web_s: float
    engines_s: float
    size: int
    early_mb: float
    late_mb: float


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="formats", description=__doc__)
    parser.add_argument("--pages", type=int, default=50)
    parser.add_argument("--lines", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--formats", nargs="+", default=FORMATS)
    chosen = parser.parse_args()
    print(f"{describe()}\n{chosen.pages} pages of {chosen.lines} lines, A4 at 200 dpi\n")
    document = _document(chosen.pages, chosen.lines)
    found: dict[str, list[Figures]] = {name: [] for name in chosen.formats}
    with launch_ours(CRNN, warm=True) as server:
        for number in range(-1, chosen.rounds):
            for name in in_turn(chosen.formats, max(0, number)):
                figures = _measured(server, document, name, chosen.pages)
                if number >= 0:  # the first round warms up
                    found[name].append(figures)
    print(table(HEADS, [_row(name, each, chosen.pages) for name, each in found.items()]))


def _document(pages: int, lines: int) -> bytes:
    """Return a PDF of pages of text."""
    numbers = [4 + 2 * index for index in range(pages)]
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Count {pages}/Kids[{' '.join(f'{number} 0 R' for number in numbers)}]>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for page, number in enumerate(numbers):
        shown = " ".join(f"({TEXT}{100 * page + line}) Tj T*" for line in range(lines))
        content = f"BT /F 14 Tf 24 TL 60 780 Td {shown} ET"
        entries = f"/MediaBox[0 0 595 842]/Contents {number + 1} 0 R/Resources<</Font<</F 3 0 R>>>>"
        objects.append(f"<</Type/Page/Parent 2 0 R{entries}>>")
        objects.append(f"<</Length {len(content)}>>stream\n{content}\nendstream")
    return assemble(objects)


def _measured(server: Server, document: bytes, name: str, pages: int) -> Figures:
    """Return the figures of a response.

    Raises:
        ValueError: the document was not read.

    """
    web, engines = _processes(server)
    before = cpu_s(web), cpu_s(engines)
    began, size, early = time.perf_counter(), 0, 0.0
    headers = {"Content-Type": "application/pdf"}
    with (
        _client(server) as client,
        client.stream("POST", f"/ocr?format={name}", content=document, headers=headers) as response,
    ):
        if response.status_code != httpx2.codes.OK:
            raise ValueError(f"{name}: {response.status_code}")
        parts = 0
        for part in response.iter_raw():
            size, parts = size + len(part), parts + 1
            if early == 0.0 or parts <= pages / 10:
                early = sum(map(rss_mb, web))
    seconds = time.perf_counter() - began
    late = sum(map(rss_mb, web))
    return Figures(seconds, cpu_s(web) - before[0], cpu_s(engines) - before[1], size, early, late)


def _client(server: Server) -> httpx2.Client:
    """Return a client that trusts the server."""
    job = server.job
    trust = ssl.create_default_context(cafile=server.ca)
    headers = {"X-API-Key": server.keys[0]}
    return httpx2.Client(
        base_url=str(job["url"]), http2=True, verify=trust, headers=headers, timeout=600
    )


def _processes(server: Server) -> tuple[list[int], list[int]]:
    """Return the web process and the engines."""
    pids = tree(server.process.pid)
    return ([pid for pid in pids if role(pid) == "web"], [p for p in pids if role(p) == "engine"])


def _row(name: str, found: Sequence[Figures], pages: int) -> list[str]:
    """Return the cells of a row: the medians."""

    def cell(field: str, factor: float, digits: int) -> str:
        return f"{median(getattr(each, field) for each in found) * factor:,.{digits}f}"

    return [
        name,
        cell("seconds", 1000 / pages, 0),
        cell("web_s", 1000 / pages, 1),
        cell("engines_s", 1000 / pages, 0),
        cell("size", 1 / pages, 0),
        cell("early_mb", 1, 1),
        cell("late_mb", 1, 1),
    ]


if __name__ == "__main__":
    main()
