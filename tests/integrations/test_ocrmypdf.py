"""OCRmyPDF reads through the service."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integrations.conftest import BIN, LINES

pytestmark = [pytest.mark.integrations, pytest.mark.timeout(300)]
Ocr = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def ocr(environment: dict[str, str], scan: Path, tmp_path: Path) -> Ocr:
    """Return a function that runs `ocrmypdf scan.pdf out.pdf` with options."""

    def run(*options: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [BIN / "ocrmypdf", *options, scan, tmp_path / "out.pdf"],
            cwd=tmp_path, env=environment | variables, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


def texts(file: Path) -> list[list[str]]:
    """Return the lines of each page that pdftotext finds, without empty ones."""
    done = subprocess.run(["pdftotext", file, "-"], capture_output=True, text=True, check=True)
    return [[line for line in page.split("\n") if line] for page in done.stdout.split("\f")[:-1]]


def test_the_text_is_found_in_the_pdf(ocr: Ocr, tmp_path: Path) -> None:
    """Chinese without spaces between characters, English with those between words.

    A page on its side is found with and without being turned.
    """
    done = ocr()
    assert done.returncode == 0, done.stderr
    assert texts(tmp_path / "out.pdf") == [list(LINES)] * 2
    done = ocr("--rotate-pages", "--deskew", "--sidecar", "out.txt", "--force-ocr")
    assert done.returncode == 0, done.stderr
    assert texts(tmp_path / "out.pdf") == [list(LINES)] * 2
    assert (tmp_path / "out.txt").read_text("utf-8").count(LINES[1]) == 2
    shown = subprocess.run(
        ["pdfinfo", "-l", "2", tmp_path / "out.pdf"], capture_output=True, text=True, check=True
    ).stdout
    assert "Sealed OCR" in shown
    sizes = re.findall(r"Page +\d size: +([\d.]+) x ([\d.]+)", shown)
    assert len(sizes) == 2
    assert all(float(width) > float(height) for width, height in sizes)


def test_a_service_that_refuses_is_named(ocr: Ocr, tmp_path: Path) -> None:
    """Before the first page where that is possible, and without a traceback."""
    key = tmp_path / "key"
    key.write_text("ocr_wrong")
    key.chmod(0o600)
    for options, reason in (
        (["--sealed-ocr-key-file", str(key)], "not_authenticated"),
        (["--sealed-ocr-url", "https://localhost:1"], "Connection refused"),
        (["--sealed-ocr-ca", str(key)], "is not a CA's certificate"),
        (["--sealed-ocr-key-file", "missing"], "cannot be read"),
    ):
        done = ocr("--pages", "1", *options)
        assert done.returncode != 0
        assert reason in done.stderr
        assert "Traceback" not in done.stderr
        assert not (tmp_path / "out.pdf").exists()


def test_another_engine_can_be_named(ocr: Ocr, tmp_path: Path) -> None:
    """Then no service is needed."""
    done = ocr("--ocr-engine", "none", SEALED_OCR_URL="https://localhost:1")
    assert done.returncode == 0, done.stderr
    assert texts(tmp_path / "out.pdf") == [[], []]
