"""The tables of bench/serve.py."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from bench.figures import median_interval, percentile, spread, table
from bench.images import whole_lines
from bench.variants import Variant

Json = dict[str, Any]


def show_cold(times: Json) -> None:
    """Print seconds to listening, to the first answer, and of processor until then."""
    columns = {
        "launch to listening": "listening_s",
        "launch to first answer": "answer_s",
        "processor seconds until then": "processor_s",
    }
    rows = [
        [title, *(spread(found[name], 2) for name in columns.values())]
        for title, found in times.items()
    ]
    print("\n" + table(["cold start, s", *columns], rows))


def show_peaks(peaks: Mapping[str, float]) -> None:
    """Print the most memory each took."""
    rows = [[title, f"{peak:.0f}"] for title, peak in peaks.items()]
    print("\n" + table(["", "peak RSS, MB, sum over its processes"], rows))


def show_alone(found: Json, variants: Sequence[Variant], images: dict[str, list[str]]) -> None:
    """Print latencies, what was read, and what the overhead costs."""
    rows = []
    for variant in variants:
        results = found[variant.title]
        ms = [result["ms"] for result in results]
        read = {result["image"]: result["lines"] for result in results}
        whole = sum(whole_lines(images[image], lines) for image, lines in read.items())
        total = sum(len(images[image]) for image in read)
        rows.append([
            variant.title, f"{statistics.median(ms):.0f}", f"{percentile(ms, 0.99):.0f}",
            f"{min(ms):.0f}-{max(ms):.0f}", f"{1000 / statistics.mean(ms):.2f}",
            f"{whole / total:.1%} of {total}",
        ])  # fmt: skip
    head = ["one at a time", "p50 ms", "p99 ms", "min-max", "images/s", "lines found whole"]
    print("\n" + table(head, rows))
    show_overhead(found, variants)


def show_overhead(found: Json, variants: Sequence[Variant]) -> None:
    """Print what lies between the client's clock and the reader's, three ways."""
    rows = []
    base = next((v for v in variants if v.name == "in-process"), None)
    for variant in variants:
        results = found[variant.title]
        if results[0]["reading_ms"] is None:
            continue
        reading = statistics.median(result["reading_ms"] for result in results)
        outside = [result["ms"] - result["reading_ms"] for result in results]
        versus = "-"
        if base is not None and base.recogniser == variant.recogniser and base is not variant:
            pairs = zip(results, found[base.title], strict=True)
            versus = interval([ours["ms"] - theirs["ms"] for ours, theirs in pairs], reading)
        rows.append([
            variant.title, interval(outside, reading), versus,
            f"{statistics.median(r['web_cpu_ms'] for r in results):.1f}",
            f"{statistics.median(r['client_cpu_ms'] for r in results):.1f}",
        ])  # fmt: skip
    head = [
        "overhead, ms and % of the median reading, with 95 % interval",
        "same request: client's clock less reader's", "less in-process, paired by image",
        "web process CPU ms", "client CPU ms",
    ]  # fmt: skip
    print("\n" + table(head, rows))


def interval(differences: Sequence[float], reading_ms: float) -> str:
    """Return a median difference in ms and per cent of a reading, with its interval."""
    middle, low, high = median_interval(differences)
    share = f"{middle / reading_ms:.1%} [{low / reading_ms:.1%}, {high / reading_ms:.1%}]"
    return f"{middle:.1f} [{low:.1f}, {high:.1f}] = {share}"


def show_sweep(found: Json, variants: Sequence[Variant]) -> None:
    """Print images/s at each concurrency, and the best against rapidocr_api's best."""
    best = {
        title: max(statistics.median(r["images_s"] for r in cell) for cell in cells.values())
        for title, cells in found.items()
    }
    peer = next((best[v.title] for v in variants if v.name == "rapidocr"), None)
    levels = list(next(iter(found.values())))
    rows = []
    for title, cells in found.items():
        speeds = [spread([r["images_s"] for r in cells[level]], 2) for level in levels]
        share = max(r["client_share"] for cell in cells.values() for r in cell)
        ratio = f"{best[title] / peer:.2f}x" if peer else "-"
        rows.append([title, *speeds, ratio, f"{share:.1%}"])
    head = ["images/s at concurrency", *levels, "best, of rapidocr_api's", "client, of one core"]
    print("\n" + table(head, rows))
