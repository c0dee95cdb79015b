"""The examples of docs/clients.md and docs/client.md, run as they stand."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.system.service import ROOT, Service

BLOCK = re.compile(r"```(sh|python|javascript|java)\n(.*?)```", re.DOTALL)
# A language, the file that holds the example, and the command that runs it.
COMMANDS = {
    "sh": ("ocr.sh", ["sh", "ocr.sh"]),
    "python": ("ocr.py", [sys.executable, "-W", "ignore", "ocr.py"]),
    "javascript": ("ocr.mjs", ["node", "ocr.mjs"]),
    "java": ("Ocr.java", ["java", "Ocr.java"]),
}


def examples(page: str, *languages: str) -> list[tuple[str, str]]:
    """Return the code of a page in these languages: language, code."""
    found = BLOCK.findall((ROOT / "docs" / page).read_text("utf-8"))
    return [(language, code) for language, code in found if language in languages]


ALL = [
    *examples("clients.md", "sh", "python", "javascript", "java"),
    *examples("client.md", "python"),
]
Example = Callable[[str, str], "subprocess.CompletedProcess[str]"]


@pytest.fixture
def example(real: Service, tmp_path: Path) -> Example:
    """Return a function that runs an example in a checkout, beside a running service."""
    (tmp_path / "tls" / "local").mkdir(parents=True)
    (tmp_path / "tls" / "local" / "ca.pem").symlink_to(real.authority)
    (tmp_path / ".dev").mkdir()
    (tmp_path / ".dev" / "key").write_text(real.key)
    (tmp_path / "examples").symlink_to(ROOT / "examples")

    def run(language: str, code: str) -> "subprocess.CompletedProcess[str]":
        name, command = COMMANDS[language]
        code = code.replace("https://localhost:8443", real.url)
        (tmp_path / name).write_text(code, encoding="utf-8")
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT / "client"),
            "NODE_EXTRA_CA_CERTS": "tls/local/ca.pem",
        }
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    return run


def test_each_language_is_there() -> None:
    """Three of curl, two and the library's of Python, one of each other."""
    languages = [language for language, _ in ALL]
    assert [languages.count(each) for each in COMMANDS] == [3, 3, 1, 1]


@pytest.mark.parametrize(
    ("language", "code"), ALL, ids=[f"{language}{n}" for n, (language, _) in enumerate(ALL)]
)
def test_an_example_reads_the_receipt(
    example: Example, tmp_path: Path, language: str, code: str
) -> None:
    """And says what is wrong with a wrong key."""
    done = example(language, code)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "18.95" in done.stdout
    if language == "sh":
        return
    (tmp_path / ".dev" / "key").write_text("ocr_wrong")
    done = example(language, code)
    assert done.returncode != 0
    assert "Authentication required" in done.stdout + done.stderr
