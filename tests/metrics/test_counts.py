"""What is counted of requests and pages, and that no client can make more series."""

from prometheus_client.parser import text_string_to_metric_families as parsed

from metrics.counts import MOST_CODES, MOST_KEYS, Counts
from metrics.exposition import exposition
from metrics.family import Histogram
from middleware.request_context import RequestContext


def series(counts: Counts) -> dict[tuple[str, tuple[str, ...]], float]:
    """Return the value of each series, by its name and the values of its labels."""
    text = exposition(counts.families()).decode()
    return {
        (sample.name.removeprefix("sealed_ocr_"), tuple(sample.labels.values())): sample.value
        for family in parsed(text)
        for sample in family.samples
    }


def test_a_request_is_counted() -> None:
    """By function, key and status; with its bytes, pages and lines."""
    counts = Counts(["/ocr"])
    context = RequestContext(
        function="/ocr", key_name='a "b"\n', received_bytes=7, pages=2, lines=30
    )
    for _ in range(3):
        counts.request(context, 200, 0.3)
    found = series(counts)
    assert found["requests_total", ("/ocr", 'a "b"\n', "200")] == 3
    assert found["pages_total", ('a "b"\n',)] == 6
    assert found["lines_total", ('a "b"\n',)] == 90
    assert found["received_bytes_total", ('a "b"\n',)] == 21
    assert found["request_duration_seconds_bucket", ("/ocr", "0.25")] == 0
    assert found["request_duration_seconds_bucket", ("/ocr", "0.5")] == 3


def test_a_refusal_is_counted() -> None:
    """By its code and its reason; of a client that has left there is no status."""
    counts = Counts([])
    counts.request(RequestContext(problem="not_authenticated", denial_reason="wrong key"), 401, 0)
    counts.request(RequestContext(problem="client_left"), None, 0)
    counts.limit_hit("address")
    found = series(counts)
    assert found["problems_total", ("not_authenticated",)] == 1
    assert found["authentication_failures_total", ("wrong key",)] == 1
    assert found["limit_hits_total", ("address",)] == 1
    assert found["requests_total", ("other", "", "none")] == 1


def test_a_page_is_counted_by_stage() -> None:
    """In seconds; a stage that is not known is left out."""
    counts = Counts([])
    counts.page({"detect": 20, "total": 300, "something": 1})
    found = series(counts)
    assert found["page_duration_seconds_sum", ("detect",)] == 0.02
    assert found["page_duration_seconds_count", ("queue",)] == 0
    assert ("page_duration_seconds_count", ("something",)) not in found


def test_a_flood_makes_no_series() -> None:
    """Paths, keys, codes and statuses of all kinds: their number is bounded, nothing is lost."""
    counts, known = Counts(["/ocr"]), RequestContext(function="/ocr", key_name="first")
    counts.request(known, 200, 0)
    total = 3 * MOST_KEYS
    for number in range(total):
        context = RequestContext(
            function=f"/{number}", key_name=f"key {number}", problem=f"code {number}"
        )
        counts.request(context, 100 + number % 900, 0)
    counts.request(known, 200, 0)
    found = series(counts)
    requests = {labels: n for (name, labels), n in found.items() if name == "requests_total"}
    assert sum(requests.values()) == total + 2
    assert requests["/ocr", "first", "200"] == 2
    assert {function for function, _, _ in requests} == {"/ocr", "other"}
    assert len({key for _, key, _ in requests}) == MOST_KEYS + 1  # and "other"
    assert len({status for _, _, status in requests}) < 75
    assert sum(name == "problems_total" for name, _ in found) == MOST_CODES + 1


def test_bounds_are_inclusive() -> None:
    """As Prometheus's `le` says: a value on a bound is counted in it."""
    histogram = Histogram([1, 2])
    for value in (0.5, 1, 1.5, 2, 3):
        histogram.observe(value)
    buckets = {each.labels.get("le", each.suffix): each.value for each in histogram.samples({})}
    assert buckets == {"1.0": 2, "2.0": 4, "+Inf": 5, "_count": 5, "_sum": 8}
