"""Servers that are not this service, files with any name, and disks that are full or shared."""

import errno
import os
from pathlib import Path

import pytest

from sealed_ocr_client import Client, UnexpectedAnswer, UnusableOption, transport
from sealed_ocr_client.outputs import UnfinishedPages
from tests.client.conftest import Run, Serve
from tests.client.pages import answer, line
from tests.client.scripted import Answer, Request, refusal

HTML = Answer(body=b"<html>Log in</html>", headers={"content-type": "text/html"})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (HTML, "Is the URL right?"),
        (Answer(body=b"<html>\n"), "Is the URL right?"),
        (Answer(body=b"[1]\n"), "Is the URL right?"),
        (Answer(body=b"[" * 16_000 + b"\n"), "Is the URL right?"),
        (Answer(body=b'{"page": "one"}\n'), "Is the URL right?"),
        (Answer(301, b"", {"location": "https://other.example/"}), "status 301"),
        (Answer(413, b"[]"), "status 413"),
        (refusal(413, "too_many_pages", max_pages="all"), "too_many_pages"),
        (refusal(413, "too_many_pages", max_pages=2), "too_many_pages"),
        (refusal(400, "no_such_page", document_pages=[]), "no_such_page"),
        (refusal(504, "out_of_time", pages_read="all"), "out_of_time"),
        (refusal(504, "out_of_time", pages_read=5), "out_of_time"),
    ],
    ids=range(12),
)
def test_another_server_is_named(
    run: Run, serve: Serve, scan: Path, given: Answer, said: str
) -> None:
    """With a message, after a few requests, without a traceback."""
    server = serve(lambda _: given)
    done = run(scan, "--retries", "1", server=server)
    assert done.status == 1
    assert said in done.errors
    assert len(server.requests) <= 2
    assert server.requests[0].headers["x-api-key"] == "ocr_key"


def test_no_login_page_becomes_a_pdf(run: Run, serve: Serve, scan: Path) -> None:
    """Nothing is written."""
    server = serve(lambda _: HTML)
    done = run(scan, "--format", "pdf", "--beside", server=server)
    assert (done.status, list(scan.parent.glob("*.ocr.pdf"))) == (1, [])


def test_a_line_without_end_is_not_kept(
    serve: Serve, scan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is kept of a line is bounded."""
    monkeypatch.setattr(transport, "LONGEST_LINE", 1000)
    server = serve(lambda _: Answer(body=b"x" * 1001, ending="wait"))
    with Client(server.url, ca=server.ca) as client, pytest.raises(UnexpectedAnswer):
        client.read(scan)


def test_a_table_that_is_always_too_slow(run: Run, serve: Serve, scan: Path) -> None:
    """Each request asks for fewer pages, whatever number the server says that it has read."""

    def script(request: Request) -> Answer:
        if request.query.get("pages") is None:
            return refusal(413, "too_many_pages", document_pages=40, max_pages=8)
        return refusal(504, "deadline_exceeded", pages_read=1000)

    server = serve(script)
    done = run(scan, "--format", "tsv", "--retries", "1", server=server)
    assert done.status == 1
    assert len(server.requests) <= 11


@pytest.mark.parametrize("form", ["text", "json"])
def test_any_name(run: Run, serve: Serve, tmp_path: Path, form: str) -> None:
    """Bytes that are not UTF-8, line feeds and escape sequences, on standard output and error."""
    for name in (b"a\xff.png", b"b\n==> c <==.png", b"d\x1b[31m.png"):
        (tmp_path / os.fsdecode(name)).write_bytes(b"\x89PNG")
    done = run(tmp_path, "--format", form, server=serve(lambda request: answer(request, 1)))
    assert (done.status, len(done.output.splitlines())) == (0, 3 if form == "json" else 6)
    assert b"\x1b" not in done.output
    failed = run(tmp_path, server=serve(lambda _: refusal(422, "unreadable_image")))
    assert "\x1b" not in failed.errors
    assert failed.errors.count("unreadable_image") == 3


def test_what_is_no_file_in_a_folder_is_left_out(run: Run, serve: Serve, scan: Path) -> None:
    """A pipe would be waited for, for ever."""
    os.mkfifo(scan.with_name("pipe.png"))
    assert run(scan.parent, server=serve(lambda request: answer(request, 1))).status == 0


def test_a_name_that_is_too_long(run: Run, serve: Serve) -> None:
    """It is said, without a traceback."""
    done = run("x" * 300, server=serve(lambda request: answer(request, 1)))
    assert (done.status, "too long" in done.errors) == (2, True)


def test_a_full_disk_is_named(
    run: Run, serve: Serve, scan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what the system says, and no file is left half written."""

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    server = serve(lambda request: answer(request, 1))
    done = run(scan, "--format", "tsv", "--beside", server=server)
    assert (done.status, done.errors) == (1, f"{scan}: No space left on device.\n")
    assert [each.name for each in scan.parent.glob("*.tsv*")] == []


@pytest.mark.parametrize("key", ["ключ", "two words", "line\nfeed"])
def test_a_key_that_is_none(
    run: Run, serve: Serve, scan: Path, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not sent, and not shown."""
    server = serve(lambda request: answer(request, 1))
    monkeypatch.setenv("SEALED_OCR_KEY", key)
    done = run(scan, server=server)
    assert (done.status, server.requests, key in done.errors) == (2, [], False)
    with pytest.raises(UnusableOption):
        Client(server.url, ca=server.ca, key=key)


def test_pages_that_two_runs_have_written(tmp_path: Path) -> None:
    """They are read again; so are those that are damaged. Negative control: one run's are kept."""
    target = tmp_path / "book.json"

    def kept(*numbers: int, more: str = "") -> int:
        target.with_name(".book.json.part").unlink(missing_ok=True)
        unfinished = UnfinishedPages(target, b"upload", {})
        for number in numbers:
            unfinished.add(line(number))
        if more:
            with target.with_name(".book.json.part").open("a") as file:
                file.write(more)
        return len(UnfinishedPages(target, b"upload", {}).pages)

    assert kept(1, 2, 3) == 3
    assert kept(1, 2, 3, 3) == 0
    assert kept(1, 2, more="{}\n") == 0
    assert kept(1, 2, more="nothing\n") == 0


def test_pages_are_not_written_through_a_link(tmp_path: Path) -> None:
    """Somebody else may have put it into a shared folder."""
    unfinished = UnfinishedPages(tmp_path / "book.json", b"upload", {})
    unfinished.add(line(1))
    other = tmp_path / "other"
    (tmp_path / ".book.json.part").unlink()
    (tmp_path / ".book.json.part").symlink_to(other)
    with pytest.raises(OSError, match="symbolic links"):
        unfinished.add(line(2))
    assert not other.exists()
