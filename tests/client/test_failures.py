"""Refusals, lost connections and long documents, from a server that a test scripts."""

import json
from itertools import count
from pathlib import Path

import pytest

from sealed_ocr_client import AsyncClient, Refused, Unreachable
from tests.client.conftest import Run, Serve
from tests.client.pages import answer, lines
from tests.client.scripted import Answer, Request, Script, refusal


def in_turn(*answers: Answer | None, pages: int = 1) -> Script:
    """Give these responses in turn; for None, and after the last, what a service would."""
    turns = count()

    def script(request: Request) -> Answer:
        turn = next(turns)
        given = answers[turn] if turn < len(answers) else None
        return given or answer(request, pages)

    return script


@pytest.mark.parametrize(
    "failure",
    [
        refusal(429, "rate_limited", 0),
        refusal(503, "busy", 0),
        refusal(503, "reader_died"),
        refusal(504, "deadline_exceeded", pages_read=0),
        Answer(502, b"<html>Bad gateway</html>"),
        Answer(body=b"", ending="reset"),
        Answer(body=b"", ending="drop"),
        Answer(body=b"", ending="end"),
        Answer(body=b'{"image": 1, "pa', ending="drop"),
    ],
    ids=lambda each: f"{each.status}-{each.ending}",
)
def test_a_failure_that_passes_is_tried_again(
    run: Run, serve: Serve, scan: Path, failure: Answer
) -> None:
    """The result is that of the second attempt, with the key, as if nothing had happened."""
    server = serve(in_turn(failure))
    done = run(scan, server=server)
    assert (done.status, done.errors) == (0, "")
    assert done.output.decode() == "page 1\u2028\n"
    assert [request.headers["x-api-key"] for request in server.requests] == ["ocr_key"] * 2


@pytest.mark.parametrize(
    ("failure", "requests"),
    [
        (refusal(422, "unreadable_image"), 1),
        (refusal(503, "weights_missing"), 1),
        (refusal(504, "reading_timeout", pages_read=0), 1),
        (refusal(503, "reader_died"), 2),
        (refusal(503, "busy", 0), 4),
        (refusal(429, "rate_limited", 4000), 1),
        (refusal(429, "page_quota_used_up", 40_000), 1),
        (refusal(429, "too_many_concurrent_requests", 0), 4),
        (refusal(403, "pages_exceed_quota"), 1),
        (Answer(ending="drop"), 4),
        (Answer(500, b"no JSON"), 1),
    ],
    ids=lambda each: getattr(each, "body", b"").decode()[11:26] or str(each),
)
def test_a_failure_that_stays_is_named(
    run: Run, serve: Serve, scan: Path, failure: Answer, requests: int
) -> None:
    """With the file and the reason, after as many attempts as are of use. No traceback."""
    server = serve(lambda _: failure)
    done = run(scan, "--retries", "3", server=server)
    assert done.status == 1
    assert len(server.requests) == requests
    assert done.errors.startswith(f"{scan}: ")
    assert "Traceback" not in done.errors
    if failure.body.startswith(b"{"):
        assert f"Why. ({json.loads(failure.body)['code']})" in done.errors


@pytest.mark.parametrize(("status", "code"), [(401, "not_authenticated"), (403, "scope_missing")])
def test_what_concerns_all_files_ends_the_run(
    run: Run, serve: Serve, tmp_path: Path, status: int, code: str
) -> None:
    """A wrong key is not tried with a thousand files."""
    for number in range(40):
        (tmp_path / f"{number}.png").write_bytes(b"\x89PNG")
    server = serve(lambda _: refusal(status, code))
    done = run(tmp_path, "--jobs", "2", server=server)
    assert done.status == 2
    assert len(server.requests) <= 4
    assert done.errors.count(code) == 1


def test_the_options_are_parameters(run: Run, serve: Serve, scan: Path) -> None:
    """Of the names that the service has."""
    server = serve(in_turn())
    options = ("--words", "char", "--min-confidence", "0.9", "--order", "rows", "--pages", "1")
    assert run(scan, *options, server=server).status == 0
    expected = {"words": "char", "min_confidence": "0.9", "order": "rows", "pages": "1"}
    assert server.requests[0].query == expected


def test_a_limit_holds_back_all_files(run: Run, serve: Serve, tmp_path: Path) -> None:
    """One 429 lets the others wait, too: none of them gets a 429 of its own."""
    for number in range(6):
        (tmp_path / f"{number}.png").write_bytes(b"\x89PNG")
    server = serve(in_turn(refusal(429, "rate_limited", 1)))
    done = run(tmp_path, "--jobs", "1", "--quiet", server=server)
    assert done.status == 0
    assert len(server.requests) == 7
    assert server.connections == 1


def test_a_stream_that_breaks_off_continues(run: Run, serve: Serve, scan: Path) -> None:
    """By ?pages= after the last page that came, whether the service or the network ended it."""
    last = {"code": "out_of_time", "status": 504, "pages_read": 2, "next_pages": "3-"}
    server = serve(
        in_turn(
            Answer(body=lines([1, 2]) + json.dumps(last).encode() + b"\n"),
            Answer(body=lines([3, 4, 5]), ending="drop"),
            Answer(body=lines([6, 7])[:-9], ending="reset"),
            pages=7,
        )
    )
    done = run(scan, "--format", "json", server=server)
    assert done.status == 0, done.errors
    document = json.loads(done.output)
    assert [page["page"] for page in document["pages"]] == [1, 2, 3, 4, 5, 6, 7]
    assert document["timing_ms"] == {"total": 10.5}
    asked = [request.query.get("pages") for request in server.requests]
    assert asked == [None, "3-", "6-", "7-"]


def test_the_last_page_came_but_not_the_end(run: Run, serve: Serve, scan: Path) -> None:
    """There is no page after it: the document is complete."""
    server = serve(in_turn(Answer(body=lines([1, 2]), ending="drop"), pages=2))
    assert run(scan, server=server).output.decode() == "page 1\u2028\n\fpage 2\u2028\n"
    assert [each.query.get("pages") for each in server.requests] == [None, "3-"]


@pytest.mark.parametrize(
    ("selected", "asked"),
    [
        (None, [None, "1-50", "51-100", "101-120"]),
        ("60-", ["60-", "60-109", "110-120"]),
        ("1-49,70-71", ["1-49,70-71", "1-49,70", "71"]),
    ],
)
def test_a_long_document_is_divided(
    run: Run, serve: Serve, scan: Path, selected: str | None, asked: list[str | None]
) -> None:
    """By the counts in the service's refusal; the parts are one result, with one head."""
    server = serve(lambda request: answer(request, 120, limit=50))
    pages = () if selected is None else ("--pages", selected)
    expected = {None: 120, "60-": 61, "1-49,70-71": 51}[selected]
    for name, head in (("ndjson", 0), ("tsv", 1)):
        server.requests.clear()
        done = run(scan, "--format", name, *pages, server=server)
        assert done.status == 0, done.errors
        assert [request.query.get("pages") for request in server.requests] == asked
        assert len(done.output.splitlines()) == expected + head


def test_a_long_document_in_one_piece(run: Run, serve: Serve, scan: Path) -> None:
    """Two searchable PDFs are not joined: the limit is named, and what to do."""
    server = serve(lambda request: answer(request, 120, limit=50))
    done = run(scan, "--format", "pdf", server=server)
    assert done.status == 1
    assert "select pages" in done.errors


def test_a_pdf_that_breaks_off_is_tried_once_more(run: Run, serve: Serve, scan: Path) -> None:
    """Its time may be over: each attempt would read all pages again."""
    server = serve(lambda _: Answer(body=b"%PDF", ending="reset"))
    done = run(scan, "--format", "pdf", server=server)
    assert done.status == 1
    assert len(server.requests) == 2
    assert done.output == b""
    assert "time limit (timeout_s)" in done.errors


def test_pages_of_an_interrupted_run_are_kept(run: Run, serve: Serve, scan: Path) -> None:
    """The next run asks for the others alone; another file, or other parameters, begin anew."""
    broken = Answer(body=lines([1, 2]), ending="drop")
    server = serve(in_turn(broken, refusal(500, "internal_error"), pages=3))
    out = scan.parent / "out"
    done = run(scan, "--out", out, "--retries", "1", server=server)
    assert done.status == 1
    assert [file.name for file in out.iterdir()] == [".scan.png.txt.part"]
    part = out / ".scan.png.txt.part"
    assert part.stat().st_mode & 0o777 == 0o600
    with part.open("ab") as file:
        file.write(b'{"page": 3, "te')  # the machine stopped while it was written
    assert run(scan, "--out", out, server=server).status == 0
    assert server.requests[-1].query == {"pages": "3-"}
    assert [file.name for file in out.iterdir()] == ["scan.png.txt"]
    assert (out / "scan.png.txt").read_text("utf-8").count("page") == 3
    assert run(scan, "--out", out, server=server).errors.startswith("0 of 1 files read, 1 were")
    part.write_bytes(b'{"sha256": "of another file"}\n' + lines([1, 2]))
    assert run(scan, "--out", out, "--again", server=server).status == 0
    assert server.requests[-1].query == {}


@pytest.mark.anyio
async def test_errors_of_the_library(serve: Serve, scan: Path) -> None:
    """They are typed, and have the service's own code and members."""
    server = serve(lambda _: refusal(422, "encrypted_document"))
    async with AsyncClient(server.url, ca=server.ca) as client:
        with pytest.raises(Refused, match="Why") as caught:
            await client.read(scan)
    assert (caught.value.status, caught.value.code) == (422, "encrypted_document")
    async with AsyncClient("https://localhost:1", key="k", ca=server.ca) as client:
        with pytest.raises(Unreachable, match="Connection refused"):
            await client.read(scan)
