"""What is counted while requests are served: plain numbers, a few microseconds a request."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus

from metrics.family import Family, Histogram, counter, histogram
from metrics.label_values import LabelValues
from middleware.request_context import RequestContext

REQUEST_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
PAGE_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
STAGES = ("queue", "decode", "detect", "recognise", "total")
PROCESSES = ("engine", "decoder", "zygote")

NOT_FUNCTIONS = ("plain_port", "refused")
"""What the log names as function of requests that reach none."""

Labels = tuple[str, ...]

MOST_KEYS, MOST_CODES, MOST_REASONS = 1000, 200, 50
NO_STATUS = "none"
STATUSES = frozenset(HTTPStatus)


class Counts:
    """The counters and histograms of one serving process, from its start on.

    `functions` are the paths in the settings. Names of keys come from the settings, too, but may be
    replaced by others while the process runs. A label that a client's request chooses does not
    exist.
    """

    def __init__(self, functions: Iterable[str]) -> None:
        self._function = LabelValues([*functions, *NOT_FUNCTIONS])
        self._key = LabelValues([""], most=MOST_KEYS)
        self._code = LabelValues(most=MOST_CODES)
        self._reason = LabelValues(most=MOST_REASONS)
        self._requests: Counter[Labels] = Counter()
        self._request_s: dict[str, Histogram] = {}
        self._page_s = {stage: Histogram(PAGE_S) for stage in STAGES}
        self._used: dict[str, Counter[str]] = {}  # pages, lines and bytes, by key
        self._problems: Counter[Labels] = Counter()
        self._failed: Counter[Labels] = Counter()
        self._previous_key: Counter[Labels] = Counter()
        self._limit_hits: Counter[Labels] = Counter()
        self._storage_failures = 0
        self._not_given_back: Counter[Labels] = Counter({("pages",): 0, ("leases",): 0})
        self._deaths: Counter[Labels] = Counter({(process,): 0 for process in PROCESSES})

    def request(self, context: RequestContext, status: int | None, seconds: float) -> None:
        """Count a request that has ended; its status is None if it has got no response."""
        function = self._function(context.function or "")
        key = self._key(context.key_name or "")
        self._requests[function, key, _status(status)] += 1
        if function not in self._request_s:
            self._request_s[function] = Histogram(REQUEST_S)
        self._request_s[function].observe(seconds)
        used = self._used.get(key)
        if used is None:
            used = self._used[key] = Counter()
        used["bytes"] += context.received_bytes
        if context.pages:
            used["pages"] += context.pages
            used["lines"] += context.lines or 0
        if context.problem:
            self._problems[(self._code(context.problem),)] += 1
        if context.previous_key and context.key_name:
            self._previous_key[(key,)] += 1
        if context.denial_reason:
            self._failed[(self._reason(context.denial_reason),)] += 1

    def page(self, times_ms: Mapping[str, float]) -> None:
        """Count the times of a page that has been read."""
        for stage, ms in times_ms.items():
            if stage in self._page_s:
                self._page_s[stage].observe(ms / 1000)

    def limit_hit(self, policy: str) -> None:
        """Count a request over a rate limit, by its policy."""
        self._limit_hits[(policy,)] += 1

    def storage_failure(self) -> None:
        """Count a request that the rate limits' storage did not answer."""
        self._storage_failures += 1

    def not_given_back(self, what: str, amount: int) -> None:
        """Count pages or leases that could not be given back, since the storage was away."""
        self._not_given_back[(what,)] += amount

    def process_ended(self, process: str) -> None:
        """Count a child process that died, had to be killed or did not start."""
        self._deaths[(process,)] += 1

    def families(self) -> Iterator[Family]:
        """Yield everything as it is now."""
        yield counter(
            "requests",
            "Requests that have ended, by function (its path), name of the key (empty: none) and "
            "status of the response (none: the client had left).",
            ("function", "key", "status"),
            self._requests,
        )
        yield histogram(
            "request_duration_seconds",
            "Time from a request's headers to the end of its response.",
            "function",
            self._request_s,
        )
        yield histogram(
            "page_duration_seconds",
            "Time of a page by stage: in queues, decoding, finding lines, reading them, in total.",
            "stage",
            self._page_s,
        )
        yield from self._usage()
        yield counter(
            "previous_key_requests",
            "Requests with the previous key of a rotated one, by name of the key.",
            ("key",),
            self._previous_key,
        )
        yield from self._failures()

    def _usage(self) -> Iterator[Family]:
        """Yield what each key has used."""
        for name, unit, meaning in (
            ("pages", "pages", "Pages read, by name of the key."),
            ("lines", "lines", "Lines of text returned, by name of the key."),
            ("received_bytes", "bytes", "Bytes of request bodies received, by name of the key."),
        ):
            by_key: dict[Labels, float] = {(key,): used[unit] for key, used in self._used.items()}
            yield counter(name, meaning, ("key",), by_key)

    def _failures(self) -> Iterator[Family]:
        """Yield what was refused, and what has failed."""
        for name, label, counts, meaning in (
            ("problems", "code", self._problems, "Error responses, by the code of the problem."),
            ("authentication_failures", "reason", self._failed, "Requests without a valid key."),
            ("limit_hits", "policy", self._limit_hits, "Requests over a rate limit, by policy."),
            ("process_deaths", "process", self._deaths, "Child processes that died."),
        ):
            yield counter(name, meaning, (label,), counts)
        yield counter(
            "limit_storage_failures",
            "Requests that the storage of the rate limits did not count.",
            (),
            {(): self._storage_failures},
        )
        yield counter(
            "limit_not_given_back",
            "Pages and leases of requests that could not be given back, since the storage of the "
            "rate limits was away for too long.",
            ("what",),
            self._not_given_back,
        )


def _status(status: int | None) -> str:
    """Return the label of a status; a number that HTTP does not define is counted by its class."""
    if status is None:
        return NO_STATUS
    return str(status) if status in STATUSES else f"{status // 100 % 10}xx"
