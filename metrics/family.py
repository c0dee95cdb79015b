"""One metric with its samples, in plain values: they fit into JSON, and need no library."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

PREFIX = "sealed_ocr_"


class Sample(NamedTuple):
    """One value of a metric: what follows the metric's name, the labels, the value."""

    suffix: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Family:
    """A metric: its name, its type in Prometheus's terms, its meaning, and its samples."""

    name: str
    kind: str
    meaning: str
    samples: Sequence[Sample] = field(default=())


def gauge(
    name: str, meaning: str, value: float | None = None, *, by: Iterable[Sample] = ()
) -> Family:
    """Return a gauge with one value, or with the samples in `by`."""
    samples = [*by] if value is None else [Sample("", {}, value)]
    return Family(PREFIX + name, "gauge", meaning, samples)


def counter(
    name: str,
    meaning: str,
    labels: Sequence[str],
    counts: Mapping[tuple[str, ...], float],
) -> Family:
    """Return a counter: `counts` has the values of its labels, in their order."""
    samples = [
        Sample("_total", dict(zip(labels, values, strict=True)), count)
        for values, count in counts.items()
    ]
    return Family(PREFIX + name, "counter", meaning, samples)


class Histogram:
    """Counts observed values by upper bounds, which are inclusive and ascending."""

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def samples(self, labels: Mapping[str, str]) -> Iterator[Sample]:
        """Yield the cumulative counts, the count and the sum."""
        total = 0
        bounds = [*map(repr, map(float, self._bounds)), "+Inf"]
        for bound, count in zip(bounds, self._counts, strict=True):
            total += count
            yield Sample("_bucket", {**labels, "le": bound}, total)
        yield Sample("_count", labels, total)
        yield Sample("_sum", labels, self._sum)


def histogram(name: str, meaning: str, label: str, histograms: Mapping[str, Histogram]) -> Family:
    """Return a histogram metric; `histograms` has one for each value of its label."""
    samples = [
        sample for value, each in histograms.items() for sample in each.samples({label: value})
    ]
    return Family(PREFIX + name, "histogram", meaning, samples)
