"""Every bench runs, at the smallest sizes: --bench. What it measures is not looked at."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.measuring import unmeasured
from tests.system.service import ROOT

pytestmark = [pytest.mark.bench, pytest.mark.timeout(300)]

PAGES = "PAGES"  # stands for a folder with labels.jsonl
CASES = "CASES"  # for the folder with such a folder and one with cases.jsonl
SET = "SET"  # for the name of the first
MODELS = ("--detector", "ppocrv3-det", "--recogniser", "sealed-crnn-v2")
COMMANDS = {
    "accuracy": (PAGES, *MODELS, "--threads", "1"),
    "audit": ("--rounds", "1", "--requests", "2", "--uploads", "1"),
    "capacity": ("--requests", "200", "--sites", "1"),
    "counting": ("--requests", "10", "--rounds", "1"),
    "overhead": ("--images", PAGES, "--rounds", "1", "--take", "1"),
    "envelope": ("--rounds", "1", "--requests", "10"),
    "fairness": ("--seconds", "0.5", "--case", "one-process"),
    "field": ("--data", CASES, "--sets", "field", SET),
    "formats": ("--pages", "1", "--lines", "2", "--rounds", "1", "--formats", "json", "pdf"),
    "growth": ("--rounds", "1", "--pages", "2"),
    "handshakes": ("--rounds", "1", "--batch", "1"),
    "isolation": ("--rounds", "1"),
    "large_pages": ("--number", "2", "--side", "500"),
    "memory": ("--requests", "40", "--step", "20", "--idle-s", "1"),
    "order": ("--seeds", "1"),
    "overload": ("--seconds", "1", "--warm-up", "1"),
    "recognise": (PAGES, "--recogniser", "sealed-crnn-v2"),
    "refusals": ("--rounds", "1", "--requests", "2", "--connections", "1", "--uploads", "1"),
    "revocation": ("--rounds", "1", "--idle-s", "0.1"),
    "scaling": ("--images", PAGES, "--rounds", "1", "--take", "1", "--cores", "1"),
    "scan_tls": ("--skip", "sslyze", "--skip", "testssl"),
    "serve": (
        "--images", PAGES, "--take", "1", "--requests", "1", "--rounds", "1",
        "--batch", "2", "--concurrency", "2", "--cold", "1",
        "--variants", "ours", "nginx-tls", "nginx-plain", "in-process",
    ),
    "slow_documents": ("--seconds", "1", "--warm-up", "0"),
    "stages": (PAGES, "--rounds", "1", "--take", "1"),
    "words": ("--rounds", "1", "--kinds", "level"),
    "uploads": ("--rounds", "1", "--round-trips-ms", "0,2"),
    "worst_bodies": ("--rounds", "1", "--seconds", "0.1", "--size", "100000"),
}  # fmt: skip
# Their hosts get a share of the cores that the lowest priority does not have.
ON_HOSTS = {"ceilings", "scale"}  # the second is run by test_lab.py
NO_COMMANDS = {
    "inprocess",
    "load",
    "open_load",
    "relay",
    "send_request",
    "thin_server",
}  # started by those above
MISSED = 1  # a target; nothing that a busy machine can't miss
TIMEOUT_S = 250  # at the lowest priority, beside other tests


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The top of the receipt and one of its lines, labelled."""
    folder = tmp_path_factory.mktemp("pages")
    with Image.open(ROOT / "examples" / "receipt.png") as receipt:
        receipt.crop((0, 0, receipt.width, 200)).save(folder / "page.png")
    line = {"text": "Sea Breeze Cafe", "polygon": [[0, 40], [600, 40], [600, 90], [0, 90]]}
    (folder / "labels.jsonl").write_text(json.dumps({"image": "page.png", "lines": [line]}) + "\n")
    return folder


@pytest.fixture(scope="module")
def cases(pages: Path) -> Path:
    """The folder of the pages, with two field cases: one that is read, and one that is not."""
    folder = pages.parent / "field"
    folder.mkdir(exist_ok=True)
    shutil.copy(pages / "page.png", folder)
    (folder / "empty.png").touch()
    case = {"kind": "receipt", "truth": ["Sea Breeze Cafe"], "expected_status": 200}
    records = [case | {"file": name} for name in ("page.png", "empty.png")]
    records.append(case | {"file": "request.bin", "kind": "api"})
    (folder / "cases.jsonl").write_text("".join(json.dumps(each) + "\n" for each in records))
    return pages.parent


def test_every_bench_is_here() -> None:
    """Each file in bench/ that can be run is run below."""
    programs = {
        file.stem
        for file in (ROOT / "bench").glob("*.py")
        if '__name__ == "__main__"' in file.read_text("utf-8")
    }
    assert programs == COMMANDS.keys() | NO_COMMANDS | ON_HOSTS


@pytest.mark.parametrize("name", COMMANDS)
def test_it_runs(name: str, pages: Path, cases: Path) -> None:
    """It ends by itself and prints a table; a target may be missed at such sizes."""
    folders = {PAGES: str(pages), CASES: str(cases), SET: pages.name}
    arguments = [folders.get(each, each) for each in COMMANDS[name]]
    done = subprocess.run(
        [sys.executable, ROOT / "bench" / f"{name}.py", *arguments],
        env={**unmeasured(), "PYTHONPATH": ""}, capture_output=True, text=True,
        timeout=TIMEOUT_S, check=False,
    )  # fmt: skip
    assert done.returncode in {0, MISSED}, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    assert "| --- |" in done.stdout or "|---|" in done.stdout
