"""Measures what isolation costs: `python bench/isolation.py [--rounds 40]`.

The same files are decoded in this process, as an ordinary service would, and by
`model.decoding.pool` in a process forked for each; the receipt is read by networks loaded here, and
by an engine process. Both kinds of process are measured with and without seccomp. The variants
alternate, so that other load on the machine affects them alike. Prints Markdown; the exit status is
1 where a target is missed.

Each decoding begins with the upload's bytes and ends with the pixels in an array here, of which
every memory page has been touched: mapped memory costs at the first access.
"""

import argparse
import asyncio
import contextlib
import io
import mmap
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before anything imports onnxruntime
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import pypdfium2
from PIL import Image

from bench.figures import median_interval, table
from bench.machine import describe
from bench.report import interval
from bench.samples import PHOTO, RECEIPT_FILE, SMALL, files
from model.decoding.images import ImageFile, rgb_strips
from model.decoding.pdf import PdfFile
from model.decoding.pool import DecoderPool
from model.reader import Page, Reader
from model.vision import engine
from model.vision.inference import Pixels
from model.vision.page import PageReader
from model.workers import memfd
from model.workers.launcher import LAUNCHER
from model.workers.memory_budget import MemoryBudget

DETECTOR, RECOGNISER = "ppocrv3-det", "sealed-crnn-v2"
MAX_PIXELS, DPI, TIMEOUT_S = 50_000_000, 200, 60
MEMORY_PAGE = 4096
SMALL_MS, PHOTO_SHARE = 10, 0.15  # the targets
REFERENCE, HERE, LOCKED, UNFILTERED = "library alone", "here", "isolated", "without seccomp"

Decode = Callable[[bytes], Awaitable[Pixels]]
Times = dict[str, list[float]]


def main() -> int:
    """Measure; return the exit status."""
    parser = argparse.ArgumentParser(prog="isolation", description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    arguments = parser.parse_args()
    print(describe(), f"load average {os.getloadavg()[0]:.1f}", sep="; ", flush=True)
    decoding = asyncio.run(time_decoding(arguments.rounds))
    show("decoding, ms", decoding)
    reading = asyncio.run(time_reading(arguments.rounds))
    show("the receipt, ms", reading)
    return verdict(decoding)


async def time_decoding(rounds: int) -> dict[str, Times]:
    """Return the ms of every round, by file and way."""
    async with decoders(seccomp=True) as locked, decoders(seccomp=False) as unfiltered:
        ways: dict[str, Decode] = {
            REFERENCE: library_alone,
            HERE: decode_here,
            LOCKED: lambda data: decode_apart(locked, data),
            UNFILTERED: lambda data: decode_apart(unfiltered, data),
        }
        found = {}
        for name, data in files().items():
            await check(ways, name, data)
            found[name] = await in_turns(rounds, ways, data)
    return found


async def check(ways: Mapping[str, Decode], name: str, data: bytes) -> None:
    """Decode once in every way. Raises ValueError where the pixels differ."""
    expected = await ways[HERE](data)
    for way, decode in ways.items():
        if not np.array_equal(await decode(data), expected):
            raise ValueError(f"{name}, {way}: other pixels")


async def in_turns(rounds: int, ways: Mapping[str, Decode], data: bytes) -> Times:
    """Return the ms of each way, which begin in another order every round."""
    times: Times = {way: [] for way in ways}
    names = list(ways)
    for number in range(rounds):
        first = number % len(names)
        for way in names[first:] + names[:first]:
            began = time.perf_counter()
            pixels = await ways[way](data)
            pixels.reshape(-1)[::MEMORY_PAGE].max()
            times[way].append((time.perf_counter() - began) * 1000)
            del pixels
    return times


async def library_alone(data: bytes) -> Pixels:
    """Decode as most do, with nothing of ours."""
    if data.startswith(b"%PDF"):
        page = pypdfium2.PdfDocument(data)[0]
        drawn: Pixels = page.render(scale=DPI / 72, rev_byteorder=True).to_numpy()
        return drawn
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


async def decode_here(data: bytes) -> Pixels:
    """Decode with what a decoder runs, in this process."""
    if data.startswith(b"%PDF"):
        output = memfd.output_buffer("pixels", MAX_PIXELS * 3)
        width, height = PdfFile(
            data, MAX_PIXELS, MAX_PIXELS, dpi=DPI, form_s=60, reduction=1
        ).render(1, output)
        return mapped(output, width, height)
    image = ImageFile(data, MAX_PIXELS).upright(1)
    flat = np.frombuffer(b"".join(rgb_strips(image)), np.uint8)
    return flat.reshape(image.height, image.width, 3)


async def decode_apart(decoders: DecoderPool, data: bytes) -> Pixels:
    """Decode in a process of its own, and map what it left as an engine does."""
    upload = memfd.sealed_copy("upload", data)
    try:
        with MemoryBudget(10**10).reservation() as memory:
            async with decoders.turn("bench") as turn:
                found, _ = await decoders.decode(upload, len(data), 1, turn, memory)
    finally:
        os.close(upload)
    return mapped(found.pixels, found.width, found.height)


def mapped(output: int, width: int, height: int) -> Pixels:
    """Return the pixels of a memory file, whose descriptor is closed."""
    memory = mmap.mmap(output, width * height * 3, prot=mmap.PROT_READ)
    os.close(output)
    return np.frombuffer(memory, np.uint8).reshape(height, width, 3)


@contextlib.asynccontextmanager
async def decoders(*, seccomp: bool) -> AsyncIterator[DecoderPool]:
    """Start a zygote; end it."""
    started = DecoderPool(
        LAUNCHER,
        size=1,
        max_pixels=MAX_PIXELS,
        dpi=DPI,
        timeout_s=TIMEOUT_S,
        start_timeout_s=TIMEOUT_S,
        seccomp=seccomp,
        report=complain,
    )
    try:
        await started.warm()
        yield started
    finally:
        await started.stop()


@contextlib.asynccontextmanager
async def readers(*, seccomp: bool, threads: int) -> AsyncIterator[Reader]:
    """Start a zygote and an engine; end them."""
    reader = Reader(
        detector=DETECTOR,
        recogniser=RECOGNISER,
        max_pixels=MAX_PIXELS,
        max_pages=1,
        page_memory_bytes=10**10,
        pdf_dpi=DPI,
        engines=1,
        decoders=1,
        threads=threads,
        max_waiting=1,
        idle_s=0,
        start_timeout_s=TIMEOUT_S,
        decode_timeout_s=TIMEOUT_S,
        read_timeout_s=TIMEOUT_S,
        max_readings=0,
        seccomp=seccomp,
        report=complain,
    )
    try:
        await reader.warm()
        yield reader
    finally:
        await reader.aclose()


def complain(process: str, cause: str) -> None:
    """Report a process that failed: its time must not count."""
    print(f"{process}: {cause}", file=sys.stderr)


async def time_reading(rounds: int) -> dict[str, Times]:
    """Return the ms of every round, by step and way."""
    data, threads = RECEIPT_FILE.read_bytes(), os.cpu_count() or 1
    start = {"detector": DETECTOR, "recogniser": RECOGNISER, "threads": threads}
    networks = engine.load(start)
    found: dict[str, Times] = {
        step: {HERE: [], LOCKED: [], UNFILTERED: []} for step in ("reading", "decoding and reading")
    }
    async with (
        readers(seccomp=True, threads=threads) as locked,
        readers(seccomp=False, threads=threads) as unfiltered,
    ):
        for number in range(rounds + 1):  # the first is warming up
            taken = {HERE: await read_here(networks, data)}
            for way, reader in ((LOCKED, locked), (UNFILTERED, unfiltered)):
                taken[way] = await read_apart(reader, data)
            for way, (reading_ms, total_ms) in taken.items():
                if number:
                    found["reading"][way].append(reading_ms)
                    found["decoding and reading"][way].append(total_ms)
    return found


async def read_here(networks: PageReader, data: bytes) -> tuple[float, float]:
    """Return the ms of reading, and of decoding and reading, in this process."""
    began = time.perf_counter()
    pixels = await decode_here(data)
    decoded = time.perf_counter()
    networks.read(pixels, detect=True, check=lambda: None)
    ended = time.perf_counter()
    return (ended - decoded) * 1000, (ended - began) * 1000


async def read_apart(reader: Reader, data: bytes) -> tuple[float, float]:
    """Return the same of the processes; reading is the time that an engine is lent for."""
    began = time.perf_counter()
    [page] = await reader.read(data)
    return reading_ms(page), (time.perf_counter() - began) * 1000


def reading_ms(page: Page) -> float:
    """Return the ms an engine was lent for, its answer read."""
    times = page.timing_ms
    return times["total"] - times["decode"] - times["queue"]


def show(title: str, found: Mapping[str, Times]) -> None:
    """Print the median of each way, and what isolation adds, round by round."""
    ways = list(next(iter(found.values())))
    compared = [way for way in ways if way in {REFERENCE, HERE}]
    rows = []
    for name, times in found.items():
        middles = {way: statistics.median(times[way]) for way in ways}
        filters = median_interval(less(times, LOCKED, UNFILTERED))
        rows.append([
            name,
            *(f"{middle:.1f}" for middle in middles.values()),
            *(interval(less(times, LOCKED, way), middles[way]) for way in compared),
            "{:.1f} [{:.1f}, {:.1f}]".format(*filters),
        ])  # fmt: skip
    extras = [f"isolated less {way}: ms, and % of it" for way in compared]
    print("\n" + table([title, *ways, *extras, "seccomp's share, ms"], rows), flush=True)


def less(times: Times, way: str, other: str) -> list[float]:
    """Return by how much one way took longer than another, round by round."""
    return [mine - theirs for mine, theirs in zip(times[way], times[other], strict=True)]


def verdict(decoding: Mapping[str, Times]) -> int:
    """Print the targets; return 1 where one is missed."""
    small_ms = statistics.median(less(decoding[SMALL], LOCKED, HERE))
    extra = statistics.median(less(decoding[PHOTO], LOCKED, HERE))
    share = extra / statistics.median(decoding[PHOTO][HERE])
    rows = [
        [f"{SMALL}: under {SMALL_MS} ms more", f"{small_ms:.1f} ms", met(small_ms < SMALL_MS)],
        [f"{PHOTO}: under {PHOTO_SHARE:.0%} more", f"{share:.1%}", met(share < PHOTO_SHARE)],
    ]
    print("\n" + table(["target", "found", ""], rows))
    return int(any(row[-1] == "missed" for row in rows))


def met(good: bool) -> str:  # noqa: FBT001
    """Return the word for it."""
    return "met" if good else "missed"


if __name__ == "__main__":
    sys.exit(main())
