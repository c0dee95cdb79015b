"""What GET /metrics gives: the counts since the start, and the state of this moment."""

import asyncio
import os
import platform
import resource
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from metrics.counts import Counts
from metrics.family import Family, Sample, counter, gauge
from model.reader import Reader
from service.readiness import Readiness
from service.version import VERSION

if TYPE_CHECKING:  # it takes 160 ms to import, and most services do not need it
    from server.patches import ServerHandle

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Metrics:
    """The metrics of this serving process."""

    def __init__(
        self, counts: Counts, reader: Reader, server: "ServerHandle", readiness: Readiness
    ) -> None:
        self._counts = counts
        self._reader = reader
        self._server = server
        self._readiness = readiness
        self._started_at = time.time()

    async def families(self) -> list[Family]:
        """Return everything as it is now; the checks of /readyz are made for it."""
        checks = await _results(self._readiness.checks())
        warnings = self._readiness.warnings()
        return [
            *self._counts.families(),
            *self._reading(),
            *self._audit(),
            *self._connections(),
            *self._process(),
            gauge("ready", "Whether each check of /readyz passes.", by=_by("check", checks)),
            gauge(
                "warning",
                "The warnings of /readyz; only those that there are.",
                by=_by("warning", dict.fromkeys(warnings, 1)),
            ),
            *self._expiries(),
        ]

    def _reading(self) -> Iterator[Family]:
        state = self._reader.state
        yield gauge("slots_used", "Requests that are read, or wait to be.", state.admitted)
        yield gauge(
            "slots", "The most requests that are read or wait; more get a 503.", state.slots
        )
        yield gauge("requests_waiting", "Admitted requests without a page in an engine.",
                    state.waiting)  # fmt: skip
        yield gauge("pages_reading", "Pages in an engine.", state.running)
        yield gauge("pages_paused", "Pages in an engine that wait for those of other callers.",
                    state.paused)  # fmt: skip
        yield gauge("engines", "The most pages of one caller in an engine at a time.",
                    state.engines)  # fmt: skip
        starts: Mapping[tuple[str, ...], int] = {(): state.started}
        yield counter("engine_starts", "Engines that have started.", (), starts)
        memory = {"service": [_resident_bytes()], **state.memory_bytes}
        yield gauge(
            "resident_memory_bytes",
            "Resident memory of each process, by its name and number.",
            by=[
                Sample("", {"process": name, "number": str(number)}, size)
                for name, sizes in memory.items()
                for number, size in enumerate(sizes, 1)
            ],
        )

    def _audit(self) -> Iterator[Family]:
        """Yield what the audit trail has, whether or not there is one."""
        audit = self._readiness.audit
        totals = None if audit is None else audit.trail.totals
        for name, value, meaning in (
            ("audit_records", totals and totals.records, "Records written to the audit trail."),
            ("audit_written_bytes", totals and totals.bytes, "Bytes written to the audit trail."),
            (
                "audit_failures",
                totals and totals.failures,
                "Writes to the audit trail that failed.",
            ),
        ):
            yield counter(name, meaning, (), {(): value or 0})

    def _connections(self) -> Iterator[Family]:
        server = self._server
        yield gauge("connections", "Open connections, without those in their TLS handshake.",
                    server.connections)  # fmt: skip
        yield gauge("connections_in_handshake", "Connections in their TLS handshake.",
                    server.accepted_connections - server.connections)  # fmt: skip
        yield gauge("connections_max", "The most connections at a time.",
                    self._readiness.settings.settings.tls.max_connections)  # fmt: skip
        reasons: dict[tuple[str, ...], int] = {
            (str(reason),): count for reason, count in server.closures.items()
        }
        yield counter("connection_closures", "Connections that the server refused or closed, by "
                      "reason.", ("reason",), reasons)  # fmt: skip

    def _process(self) -> Iterator[Family]:
        settings = self._readiness.settings.settings
        labels = {
            "version": VERSION,
            "python": platform.python_version(),
            "detector": settings.model.detector,
            "recogniser": settings.model.recogniser,
        }
        yield gauge("build_info", "Versions, as labels.", by=[Sample("", labels, 1)])
        yield gauge("start_time_seconds", "When the process started, Unix time.", self._started_at)
        yield gauge(
            "open_descriptors", "Open file descriptors.", len([*Path("/proc/self/fd").iterdir()])
        )
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        yield gauge("descriptors_max", "The most file descriptors.", limit)

    def _expiries(self) -> Iterator[Family]:
        """Yield when the certificate and the keys end, whether or not there are any."""
        served = self._readiness.certificate
        ends = [] if served is None else [Sample("", {}, served.facts.not_after.timestamp())]
        yield gauge("certificate_expiry_timestamp_seconds", "When the certificate expires, Unix "
                    "time.", by=ends)  # fmt: skip
        expiring = [key for key in self._readiness.settings.settings.keys if key.expires]
        yield gauge(
            "key_expiry_timestamp_seconds",
            "When each key that expires does, Unix time, by its name and id.",
            by=[
                Sample("", {"key": key.name, "key_id": key.id}, key.expires.timestamp())
                for key in expiring
                if key.expires
            ],
        )


async def _results(checks: Mapping[str, Callable[[], Awaitable[bool]]]) -> dict[str, float]:
    passed = await asyncio.gather(*(check() for check in checks.values()))
    return dict(zip(checks, map(float, passed), strict=True))


def _by(label: str, values: Mapping[str, float]) -> list[Sample]:
    return [Sample("", {label: name}, value) for name, value in values.items()]


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * PAGE_BYTES
