"""Measures the memory that large pages take: `python bench/large_pages.py [--budget BYTES]`.

Reads pages of 50 megapixels, several at a time, with two decoders and two engines, and samples the
anonymous memory of all child processes and the size of all memory files. Prints Markdown.
"""

import argparse
import asyncio
import contextlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bench.figures import table
from bench.machine import describe
from bench.processes import tree
from model.reader import Reader
from model.sandbox import seccomp

_SIDE = 7071
_SAMPLE_S = 0.02
_AMPLE = 10**12
_HEADS = ("page", "file MB", "processes MB", "memory files MB", "together MB", "largest process MB")
_TEXT = "Invoice 2291-B: 37 boxes of printer paper, EUR 412.80 " * 2


def files(side: int) -> Iterator[tuple[str, bytes]]:
    """Yield a page in each of the forms that take most memory."""
    grey = Image.new("L", (side, side), 255)
    pen, font = ImageDraw.Draw(grey), ImageFont.load_default(60)
    for top in range(200, side, 110):
        pen.text((300, top), _TEXT, fill=0, font=font)
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    turned = Image.Exif()
    turned[0x0112] = 6
    yield "TIFF, 16-bit grey", _file(deep, "TIFF", compression="tiff_lzw")
    yield "WebP, RGBA, lossless", _file(grey.convert("RGBA"), "WEBP", lossless=True, method=0)
    yield "JPEG, RGB, turned", _file(grey.convert("RGB"), "JPEG", exif=turned)


def _file(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def anonymous_bytes(pid: int) -> int:
    """Return the anonymous memory of a process; what is shared is divided among its sharers."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines():
            if line.startswith("Pss_Anon:"):
                return int(line.split()[1]) * 1024
    return 0


def memory_file_bytes() -> int:
    """Return what the memory files of this process take."""
    total = 0
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            if "memfd:" in str(link.readlink()):
                total += link.stat().st_blocks * 512
    return total


async def peaks(reader: Reader, data: bytes, number: int) -> list[float]:
    """Read a page several times at once; return the peaks of the table, in MB."""
    most = [0, 0, 0, 0]
    reading = asyncio.gather(*(reader.read(data) for _ in range(number)))
    while not reading.done():
        each = [anonymous_bytes(pid) for pid in tree(os.getpid()) if pid != os.getpid()]
        held = memory_file_bytes()
        now = (sum(each), held, sum(each) + held, max(each, default=0))
        most = [max(pair) for pair in zip(most, now, strict=True)]
        await asyncio.sleep(_SAMPLE_S)
    await reading
    return [value / 1e6 for value in most]


async def measure(budget_bytes: int, number: int, side: int) -> None:
    """Print the table."""
    reader = Reader(
        detector="ppocrv3-det", recogniser="sealed-crnn-v2", max_pixels=50_000_000, max_pages=1,
        page_memory_bytes=budget_bytes, pdf_dpi=200, engines=2, decoders=2, threads=2,
        max_waiting=number, idle_s=0, start_timeout_s=60, decode_timeout_s=60, read_timeout_s=60,
        max_readings=0, seccomp=seccomp.available(), report=print,
    )  # fmt: skip
    await reader.warm()
    rows = []
    for name, data in files(side):
        cells = [f"{value:.0f}" for value in await peaks(reader, data, number)]
        rows.append([name, f"{len(data) / 1e6:.1f}", *cells])
    await reader.aclose()
    print(table(_HEADS, rows))


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budget", type=int, default=_AMPLE, help="bytes")
    parser.add_argument("--number", type=int, default=6, help="pages at a time")
    parser.add_argument("--side", type=int, default=_SIDE, help="px")
    chosen = parser.parse_args()
    print(f"{describe()}\n")
    asyncio.run(measure(chosen.budget, chosen.number, chosen.side))


if __name__ == "__main__":
    main()
