"""The parser of paperless-ngx, called as paperless-ngx calls it."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.integrations.conftest import BIN, LINES

pytestmark = [pytest.mark.integrations, pytest.mark.timeout(300)]
PARSE_ERROR = "class ParseError(Exception):\n    pass\n"
CALL = """
import json, sys
from importlib.metadata import entry_points
from pathlib import Path
from documents.parsers import ParseError

path, archive = Path(sys.argv[1]), sys.argv[2] == "archive"
[entry] = entry_points(group="paperless_ngx.parsers")
with entry.load()(None) as parser:
    parser.configure(None)
    try:
        parser.parse(path, "application/pdf", produce_archive=archive)
    except ParseError as error:
        sys.exit(f"ParseError: {error}")
    made = parser.get_archive_path()
    if made is not None:
        Path("archive.pdf").write_bytes(made.read_bytes())
    thumbnail = parser.get_thumbnail(path, "application/pdf")
    print(json.dumps([parser.get_text(), made is not None, thumbnail.suffix, parser.get_date()]))
"""


def parse(
    environment: dict[str, str], folder: Path, file: Path, archive: str
) -> "subprocess.CompletedProcess[str]":
    """Run the parser in a process that has paperless-ngx's ParseError."""
    (folder / "documents").mkdir(exist_ok=True)
    (folder / "documents" / "parsers.py").write_text(PARSE_ERROR)
    return subprocess.run(
        [BIN / "python", "-c", CALL, file, archive],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_text_archive_and_thumbnail(
    environment: dict[str, str], tmp_path: Path, scan: Path
) -> None:
    """The archive has the same text; without an archive the text is the same, too."""
    done = parse(environment, tmp_path, scan, "archive")
    assert done.returncode == 0, done.stderr
    text, made, suffix, date = json.loads(done.stdout)
    assert [line for line in text.split("\n") if line.strip()] == [*LINES, *LINES]
    assert (made, suffix, date) == (True, ".webp", None)
    found = subprocess.run(
        ["pdftotext", tmp_path / "archive.pdf", "-"], capture_output=True, text=True, check=True
    ).stdout
    assert found.count(LINES[1]) == 2
    done = parse(environment, tmp_path, scan, "none")
    plain, made, *_ = json.loads(done.stdout)
    assert not made
    assert plain.split() == text.split()


def test_what_cannot_be_read_is_a_parse_error(environment: dict[str, str], tmp_path: Path) -> None:
    """With the service's reason."""
    (tmp_path / "bad.pdf").write_bytes(b"%PDF-1.7 nothing")
    done = parse(environment, tmp_path, tmp_path / "bad.pdf", "archive")
    assert done.returncode == 1
    assert done.stderr.startswith("ParseError: Sealed OCR: ")
    assert "(unreadable_image)" in done.stderr
