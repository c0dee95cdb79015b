"""GET /metrics of the real service: who gets it, and what it says of what has happened."""

import re
import socket
import time
from collections.abc import Callable
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families as parsed

from tests.system.service import PATIENCE_S, Service, key_stanza

ROOT = Path(__file__).parents[2]
OCR, OCR_STANZA = key_stanza("aaaa1111", "accounting")
SCRAPER, SCRAPER_STANZA = key_stanza("bbbb2222", "prometheus", scopes='["metrics"]')
KEYS = OCR_STANZA + SCRAPER_STANZA
Draw = Callable[..., bytes]
Series = dict[str, dict[tuple[tuple[str, str], ...], float]]


def scrape(service: Service, key: str = SCRAPER) -> Series:
    """Return the samples of each name, by their labels."""
    with service.client(key=key) as client:
        answer = client.get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found: Series = {}
    for family in parsed(answer.text):
        for sample in family.samples:
            labels = tuple(sorted(sample.labels.items()))
            found.setdefault(sample.name.removeprefix("sealed_ocr_"), {})[labels] = sample.value
        found.setdefault(family.name.removeprefix("sealed_ocr_"), {})
    return found


def misbehave(service: Service) -> None:
    """Send what is no TLS handshake, plain HTTP, and what is no HTTP/2; wait for each's end."""
    address = ("localhost", service.ports["https"])
    trust = service.trust()
    trust.set_alpn_protocols(["h2"])
    for first in (b"\x16\x03\x01\x00\x05hello", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b""):
        with socket.create_connection(address, PATIENCE_S) as plain:
            plain.sendall(first)
            if first:
                while plain.recv(4096):
                    pass
                continue
            with trust.wrap_socket(plain, server_hostname="localhost") as secured:
                secured.sendall(b"PRI * HTTP/1.1\r\n" * 4)
                while secured.recv(4096):
                    pass


def test_who_gets_it_and_what_it_says(start: Callable[..., Service], draw: Draw) -> None:
    """A key with its scope, and no other; then it has counted all of that."""
    with start(local=KEYS) as service:
        with service.client(key=OCR) as client:
            assert client.post("/ocr", files={"image": draw("ONE", "TWO")}).status_code == 200
            assert client.get("/metrics").status_code == 403
            assert client.get("/secret-path-of-a-client").status_code == 404
        with service.client(key=SCRAPER) as client:
            assert client.post("/ocr", files={"image": draw("ONE")}).status_code == 403
        with service.client(key=None) as client:
            assert client.get("/metrics").status_code == 401
        misbehave(service)
        found = scrape(service)
    requests = found["requests_total"]
    assert requests[("function", "/ocr"), ("key", "accounting"), ("status", "200")] == 1
    assert requests[("function", "/metrics"), ("key", "accounting"), ("status", "403")] == 1
    assert requests[("function", "other"), ("key", ""), ("status", "404")] == 1
    assert found["lines_total"][(("key", "accounting"),)] == 2
    assert found["authentication_failures_total"] == {(("reason", "no key or certificate"),): 1}
    assert found["page_duration_seconds_count"][(("stage", "recognise"),)] == 1
    assert found["engine_starts_total"][()] == 1
    assert found["slots_used"][()] == 0 < found["slots"][()]
    assert set(found["ready"].values()) == {1}
    memory = {
        dict(labels)["process"]: size for labels, size in found["resident_memory_bytes"].items()
    }
    assert min(memory["service"], memory["engine"], memory["zygote"]) > 1e7
    assert "secret-path" not in str(found)
    closures = found["connection_closures_total"]
    for reason in ("handshake_failed", "plain_http", "flood"):
        assert closures[(("reason", reason),)] == 1, closures
    assert closures[(("reason", "full"),)] == 0


def test_every_metric_is_documented(service: Service) -> None:
    """In docs/monitoring.md, and no other; with the names of its labels."""
    assert service.key
    found = scrape(service, service.key)
    names = {re.sub("_(bucket|sum|count)$", "", name) for name in found}
    names -= {name.removesuffix("_total") for name in names if name.endswith("_total")}
    names = {f"{name}_total" if f"{name}_total" in DOCUMENTED else name for name in names}
    assert names == DOCUMENTED


def _documented() -> set[str]:
    page = (ROOT / "docs" / "monitoring.md").read_text("utf-8")
    table = page.partition("## The metrics")[2].partition("\n## ")[0]
    rows = [line.split(" | ")[0] for line in table.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


DOCUMENTED = _documented()


def test_one_scrape_has_all_workers(
    start: Callable[..., Service], redis: tuple[str, object]
) -> None:
    """Whichever is reached, each with its own numbers; together they have counted everything."""
    environment = {"OCR_LIMITS__STORAGE": redis[0]}
    with start(server={"workers": "2"}, local=KEYS, environment=environment) as service:
        due = time.monotonic() + PATIENCE_S
        while sum('"worker_started"' in line for line in service.log) < 2:
            assert time.monotonic() < due
            time.sleep(0.01)
        for _ in range(6):
            with service.client(key=OCR) as client:
                assert client.post("/ocr", headers={"content-type": "text/x"}).status_code == 415
        found = scrape(service)
        assert {dict(labels)["worker"] for labels in found["slots"]} == {"1", "2"}
        counted = [
            count
            for labels, count in found["requests_total"].items()
            if ("status", "415") in labels
        ]
        assert sum(counted) == 6
