"""Medians, spreads, and confidence intervals of differences."""

import random
import statistics
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

RESAMPLES = 2000
SEED = 2


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the median and its 95 % bootstrap interval; reproducible."""
    source = random.Random(SEED)  # noqa: S311 - statistics, no secret
    medians = sorted(
        statistics.median(source.choices(values, k=len(values))) for _ in range(RESAMPLES)
    )
    low, high = medians[int(0.025 * RESAMPLES)], medians[int(0.975 * RESAMPLES)]
    return statistics.median(values), low, high


def spread(values: Sequence[float], digits: int = 0) -> str:
    """Return "median (lowest-highest)"."""
    middle = statistics.median(values)
    return f"{middle:.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def in_turn(items: Sequence[T], number: int) -> list[T]:
    """Return the items, another one first in each round."""
    shift = number % len(items)
    return [*items[shift:], *items[:shift]]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
