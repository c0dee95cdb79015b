"""The command, with the real service."""

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from handlers.formats.registry import formats
from sealed_ocr_client.formats import FORMATS
from tests.client.conftest import Run, png
from tests.client.scripted import ScriptedServer
from tests.system.service import ROOT, Service

RECEIPT = ROOT / "examples" / "receipt.png"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with images in two levels, a file that is no image, and one that is not read."""
    scans = tmp_path / "scans"
    (scans / "deep").mkdir(parents=True)
    for number in (1, 2, 3):
        (scans / f"{number}.png").write_bytes(png(f"Number {number}"))
    (scans / "deep" / "4.PNG").write_bytes(png("Number 4"))
    (scans / "deep" / "bad.jpg").write_bytes(b"no image")
    (scans / "notes.txt").write_text("not read")
    (scans / "5.ocr.pdf").write_text("a result")
    return scans


def test_the_text_of_a_file(run: Run, real: Service) -> None:
    """On standard output, and nothing else."""
    done = run(RECEIPT, server=real)
    assert (done.status, done.errors) == (0, "")
    assert "18.95" in done.output.decode().splitlines()


def test_the_json_is_that_of_the_service(run: Run, real: Service) -> None:
    """Of an image and of a document, except for times and the request's id."""
    for query in ({}, {"pages": "1"}):
        done = run(RECEIPT, "--format", "json", *(["--pages", "1"] if query else []), server=real)
        mine = json.loads(done.output)
        with real.client() as client:
            files = {"image": RECEIPT.read_bytes()}
            theirs = client.post("/ocr", params=query, files=files).json()
        assert list(mine) == list(theirs)
        for each in (mine, theirs):
            each.pop("request_id")
            for timed in (each, *each.get("pages", [])):
                assert set(timed.pop("timing_ms")) > {"total"}
        assert mine == theirs


def test_a_document_of_more_pages_than_a_request_may_have(
    run: Run, real: Service, tmp_path: Path, long_pdf: bytes
) -> None:
    """Is read in parts, in order."""
    file = tmp_path / "long.pdf"
    file.write_bytes(long_pdf)
    done = run(file, "--out", tmp_path / "out", server=real)
    assert (done.status, done.output) == (0, b"")
    pages = (tmp_path / "out" / "long.pdf.txt").read_text("utf-8").split("\f")
    assert [page.strip() for page in pages] == [f"Page {100 + n}" for n in range(1, 8)]


def test_tables_of_several_requests_are_one(
    run: Run, real: Service, tmp_path: Path, long_pdf: bytes
) -> None:
    """With one header, and the document's own page numbers; boxes of words need no option."""
    file = tmp_path / "long.pdf"
    file.write_bytes(long_pdf)
    done = run(file, "--format", "tsv", "--pages", "2-5", server=real)
    assert done.status == 0, done.errors
    head, *rows = [line.split("\t") for line in done.output.decode().splitlines()]
    words = [(row[1], row[11]) for row in rows if row[0] == "5"]
    assert head[11] == "text"
    assert words == [pair for n in range(2, 6) for pair in ((f"{n}", "Page"), (f"{n}", f"10{n}"))]


def test_boxes_of_characters(run: Run, real: Service, folder: Path) -> None:
    """In the JSON, when they are asked for."""
    done = run(folder / "1.png", "--format", "json", "--words", "char", server=real)
    [line] = json.loads(done.output)["lines"]
    assert [word["text"] for word in line["words"]] == list("Number1")


def test_the_formats_are_those_of_the_service() -> None:
    """By name and extension."""
    theirs = {each.name: each.extension for each in formats()}
    assert {each.name: each.extension for each in FORMATS.values()} == theirs


def test_a_folder_in_order_with_a_file_that_cannot_be_read(
    run: Run, real: Service, folder: Path
) -> None:
    """The others are read; the file and the reason are named; the exit status is 1."""
    done = run(folder, "--jobs", "3", server=real)
    assert done.status == 1
    texts = done.output.decode().split("==> ")[1:]
    assert [text.split()[-1] for text in texts] == ["1", "2", "3", "4"]
    assert texts[3].startswith(f"{folder}/deep/4.PNG <==\n")
    assert done.errors.endswith(
        "4 of 5 files read.\n"
        f"{folder}/deep/bad.jpg: Unsupported image format: The file is plain text. It is text "
        "already: there is nothing to recognise. Supported formats are JPEG, PNG, WebP, AVIF, GIF, "
        "BMP, TIFF and PDF. (unsupported_image_type)\n"
    )


def test_results_beside_the_files_are_not_made_twice(run: Run, real: Service, folder: Path) -> None:
    """A second run reads what failed, and nothing else; with --again all."""
    (folder / "deep" / "bad.jpg").unlink()
    done = run(folder, "--beside", "--format", "ndjson", server=real)
    assert done.status == 0, done.errors
    results = sorted(str(each.relative_to(folder)) for each in folder.rglob("*.ndjson"))
    assert results == ["1.png.ndjson", "2.png.ndjson", "3.png.ndjson", "deep/4.PNG.ndjson"]
    page = json.loads((folder / "2.png.ndjson").read_text("utf-8"))
    assert page["text"] == "Number 2"
    (folder / "2.png.ndjson").unlink()
    done = run(folder, "--beside", "--format", "ndjson", server=real)
    assert "1 of 4 files read, 3 were there already" in done.errors
    assert (folder / "2.png.ndjson").exists()


def test_searchable_pdfs_are_not_read_again(run: Run, real: Service, folder: Path) -> None:
    """They stand beside the images of the folder, under a name that a later run leaves out."""
    (folder / "deep" / "bad.jpg").unlink()
    assert run(folder, "--beside", "--format", "pdf", server=real).status == 0
    assert (folder / "1.png.ocr.pdf").read_bytes().startswith(b"%PDF-")
    done = run(folder, "--beside", "--format", "pdf", server=real)
    assert done.errors.endswith("0 of 4 files read, 4 were there already (--again reads them).\n")


def test_standard_input_and_several_documents_as_json(
    run: Run, real: Service, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each JSON document is a line that begins with its file's name."""
    stdin = io.TextIOWrapper(io.BytesIO(png("From a pipe")))
    monkeypatch.setattr(sys, "stdin", stdin)
    done = run("-", folder / "3.png", "-f", "json", "--order", "rows", server=real)
    assert done.status == 0, done.errors
    documents = [json.loads(line) for line in done.output.splitlines()]
    assert [(each["file"], each["text"]) for each in documents] == [
        ("standard input", "From a pipe"),
        (str(folder / "3.png"), "Number 3"),
    ]


def test_a_body_over_the_limit_is_named(run: Run, real: Service, tmp_path: Path) -> None:
    """The service refuses it before all of it has been sent."""
    file = tmp_path / "large.png"
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(8_000_000))
    done = run(file, server=real)
    assert done.status == 1
    assert done.errors == (
        f"{file}: Request body too large: The limit is 5000000 bytes. (body_too_large)\n"
    )


def test_a_wrong_key_and_an_unknown_ca(
    run: Run, real: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Are named with what to do, before anything is read."""
    monkeypatch.setenv("SEALED_OCR_KEY", "ocr_wrong")
    done = run(RECEIPT, "--url", real.url, "--ca", real.authority)
    assert (done.status, done.output) == (2, b"")
    assert "X-API-Key" in done.errors
    assert "--key-file" in done.errors
    done = run(RECEIPT, "--url", real.url)
    assert done.status == 2
    assert "is not trusted" in done.errors
    assert "--ca" in done.errors
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    done = run(RECEIPT, "--url", real.url, "--ca", real.authority)
    assert "身份验证" in done.errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.png"], "missing.png: no such file."),
        (["-", "-"], "read once"),
        (["-", "--beside"], "--out FOLDER"),
        ([RECEIPT, RECEIPT, "--out", "x"], "would both be written to x/receipt.png.txt"),
        ([RECEIPT, RECEIPT, "--format", "pdf"], "--beside or --out"),
        ([ROOT / "tls" / "__pycache__", "--quiet"], "no file to read"),
        ([RECEIPT, "--pages", "one"], "1-3,7 or 9-"),
        ([RECEIPT, "--url", "http://localhost:8080"], "begin with https://"),
        ([RECEIPT, "--ca", __file__], "is not a CA's certificate"),
        ([RECEIPT, "--key-file", "missing"], "cannot be read (No such file or directory)"),
        ([RECEIPT, "--url", "https://localhost:1"], "Connection refused"),
    ],
    ids=str,
)
def test_what_cannot_work_is_said_before_anything_is_read(
    run: Run, monkeypatch: pytest.MonkeyPatch, arguments: list[str | Path], message: str
) -> None:
    """In one line, with exit status 2."""
    monkeypatch.setenv("SEALED_OCR_KEY", "ocr_key")
    done = run(*arguments)
    assert (done.status, done.output) == (2, b"")
    assert message in done.errors
    assert done.errors.count("\n") == 1


def test_without_a_key_nothing_is_sent(run: Run) -> None:
    """And the ways to give one are named. A wrong URL is named first: keys are found by it."""
    done = run(RECEIPT, "--url", "https://localhost:1")
    assert done.status == 2
    assert "SEALED_OCR_KEY" in done.errors
    done = run(RECEIPT, "--url", "localhost:8443")
    assert done.status == 2
    assert "begin with https://" in done.errors


def test_ctrl_c_ends_without_a_traceback(tmp_path: Path) -> None:
    """With status 130, and no half-written result."""
    started, ended = tmp_path / "started", threading.Event()

    def never(_: object) -> object:
        started.touch()
        ended.wait(60)
        raise AssertionError

    with ScriptedServer(tmp_path, never) as server:  # type: ignore[arg-type]
        running = subprocess.Popen(
            # A shell starts what runs in its background, as these tests may, with SIGINT ignored.
            ["env", "--default-signal=INT", ROOT / "scripts" / "ocr", RECEIPT,
             "--out", tmp_path / "out", "--url", server.url],
            env={**os.environ, "SEALED_OCR_CA": str(server.ca), "SEALED_OCR_KEY": "ocr_key"},
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        while not started.exists():
            assert running.poll() is None
            time.sleep(0.01)
        running.send_signal(signal.SIGINT)
        try:
            _, errors = running.communicate(timeout=30)
        finally:
            ended.set()
    assert (running.returncode, errors) == (130, "Interrupted. The same command continues.\n")
    assert not (tmp_path / "out").exists()


def test_the_script_uses_the_development_ca_and_key(real: Service, tmp_path: Path) -> None:
    """Those of the checkout, for a service on this machine; the command line has no secret."""
    checkout = tmp_path / "checkout"
    (checkout / "scripts").mkdir(parents=True)
    (checkout / "tls" / "local").mkdir(parents=True)
    for name in ("client", ".venv"):
        (checkout / name).symlink_to(ROOT / name)
    (checkout / "scripts" / "ocr").symlink_to(ROOT / "scripts" / "ocr")
    (checkout / "tls" / "local" / "ca.pem").symlink_to(real.authority)
    (checkout / ".dev").symlink_to(real.directory / ".dev")
    done = subprocess.run(
        ["scripts/ocr", RECEIPT, "--url", real.url],
        cwd=checkout, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "18.95" in done.stdout


def test_the_help_names_every_format_and_where_the_key_comes_from(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And fits a terminal of 100 columns."""
    from sealed_ocr_client.__main__ import main  # noqa: PLC0415

    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert set(FORMATS) <= set(shown.split())
    assert {"SEALED_OCR_KEY", "SEALED_OCR_KEY_FILE", "--pages", "--min-confidence"} <= set(
        shown.split()
    )
    assert max(map(len, shown.splitlines())) <= 100
