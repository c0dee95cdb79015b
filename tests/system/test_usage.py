"""scripts/usage: what each key used, by the log of the real service and by damaged ones."""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.usage import LONGEST_LINE, Unreadable, add_up
from scripts.usage_table import Group, Use, as_text
from tests.system.service import ROOT, Service

ENTRY = {
    "at": "2026-11-27T17:58:27Z", "request_id": "f9944b3c36399459", "address": "127.0.0.1",
    "key": "accounting", "key_id": "a1b2", "method": "POST", "function": "/ocr", "http": "2",
    "status": 200, "complete": True, "problem": None, "bytes": 100, "images": 1, "pages": 2,
    "lines": 30, "ms": 1.5,
}  # fmt: skip


def line(**changes: object) -> str:
    """Return a line of the log."""
    return json.dumps(ENTRY | changes) + "\n"


def usage(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command."""
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / "usage.py", *arguments],
        input=given, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_of_the_real_service(service: Service) -> None:
    """Its own log is read as it is, and the requests of this test are in the sum."""
    after = len(service.log)
    with service.client() as client:
        client.get("/healthz")
        answer = client.post("/ocr", headers={"content-type": "text/x"})
    service.logged(answer.headers["x-request-id"], after=after)
    done = usage(
        "-", "--by", "key,function", "--format", "json", given="\n".join(service.log[after:])
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    wanted = {"key": "development", "function": "/ocr", "requests": 1, "errors": 1}
    assert wanted.items() <= found[-1].items()
    assert [each["requests"] for each in found] == [1, 1]


def test_by_key_and_day(tmp_path: Path) -> None:
    """Two files, one of them compressed; a request without a response is an error."""
    plain, packed = tmp_path / "1.log", tmp_path / "0.log"
    plain.write_text(line() + line(status=503, pages=None, lines=None), "utf-8")
    packed.write_bytes(
        gzip.compress((line(at="2026-11-28T00:00:00Z") + line(key=None, status=None)).encode())
    )
    used, foreign = add_up([str(plain), str(packed)], ["key", "day"])
    assert used == {
        ("accounting", "2026-11-27"): Use(2, 1, 2, 30, 200),
        ("accounting", "2026-11-28"): Use(1, 0, 2, 30, 100),
        (None, "2026-11-27"): Use(1, 1, 2, 30, 100),
    }
    assert foreign == 0
    for since, until, requests in (("2026-11-28", "9", 1), ("", "2026-11-28T00:00:00.000Z", 3)):
        used, _ = add_up([str(plain), str(packed)], [], since, until)
        assert used[()].requests == requests


def test_a_period(tmp_path: Path) -> None:
    """As of `scripts/audit show`: dates, times with a zone, and so long ago."""
    log = tmp_path / "log"
    log.write_text(line() + line(at="2026-11-27T23:00:00Z"), "utf-8")
    period = ("--since", "2026-11-27T20:00:00+01:00", "--until", "2026-11-28", "--format", "json")
    assert json.loads(usage(str(log), *period).stdout)[0]["requests"] == 1
    wrong = usage(str(log), "--since", "monday")
    assert (wrong.returncode, "'monday' is no time" in wrong.stderr) == (2, True)


@pytest.mark.parametrize(
    ("text", "requests", "foreign"),
    [
        ("", 0, 0),
        ("\n\n", 0, 0),
        ('{"at": "2026-11-27T17:58:27Z", "event": "tls"}\n', 0, 0),
        ("Running on https://127.0.0.1\n" + line(), 1, 1),
        ("[1]\nnull\n3\n{}\n" + "[" * 100_000 + "\n", 0, 5),
        (line(key=3) + line(status="200") + line(pages=True) + line(lines=1.5), 0, 4),
        (line(at="yesterday") + line(at=None), 0, 2),
        (line()[:-9], 0, 1),  # the last one is not complete
        (line()[:-1], 1, 0),  # it has no line end
        ("x" * (2 * LONGEST_LINE + 5) + "\n" + line(), 1, 1),
        ("\x00\x1b[31m\n", 0, 1),
    ],
)
def test_foreign_lines_are_left_out(text: str, requests: int, foreign: int, tmp_path: Path) -> None:
    """And counted; the requests between them are not lost."""
    file = tmp_path / "log"
    file.write_text(text, "utf-8")
    used, found = add_up([str(file)], ["key"])
    assert (sum(use.requests for use in used.values()), found) == (requests, foreign)


def test_bytes_that_are_not_utf_8(tmp_path: Path) -> None:
    """They are a foreign line, too."""
    file = tmp_path / "log"
    file.write_bytes(b"\xff\xfe\n" + line().encode())
    assert add_up([str(file)], [])[1] == 1


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Missing, a folder, cut, damaged."""
    cut, damaged = tmp_path / "cut.gz", tmp_path / "damaged.gz"
    whole = gzip.compress(line().encode() * 50)
    cut.write_bytes(whole[:-20])
    damaged.write_bytes(whole[:10] + b"\0\0\0" + whole[13:])
    for file in (tmp_path / "missing", tmp_path, cut, damaged):
        with pytest.raises(Unreadable, match=file.name):
            add_up([str(file)], ["key"])


def test_a_name_cannot_move_the_cursor() -> None:
    """Nor break the columns; a Chinese character takes two."""
    used: dict[Group, Use] = {("会计",): Use(1), ("a\x1b[2J\nb",): Use(1000)}
    assert as_text(["key"], used).splitlines() == [
        "key          requests  errors  pages  lines  bytes",
        r"a\x1b[2J\nb     1,000       0      0      0      0",
        "会计                1       0      0      0      0",
        "total           1,001       0      0      0      0",
    ]
