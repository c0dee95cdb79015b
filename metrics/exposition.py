"""The body of GET /metrics, in Prometheus's text format."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from metrics.family import Family

if TYPE_CHECKING:  # it takes 80 ms to import, and a service without scrapes does not need it
    from prometheus_client import Metric


def exposition(families: Iterable[Family]) -> bytes:
    """Return the families, and the facts of this process, in Prometheus's text format."""
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(families))
    return generate_latest(registry)


class _Families:
    """A collector of families, as prometheus_client wants it."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = [*families]

    def collect(self) -> "Iterator[Metric]":
        from prometheus_client import Metric  # noqa: PLC0415

        for family in self._families:
            metric = Metric(family.name, family.meaning, family.kind)
            for suffix, labels, value in family.samples:
                metric.add_sample(family.name + suffix, dict(labels), value)
            yield metric
