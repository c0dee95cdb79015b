"""The systems that the service is compared with, each in its own environment, if installed.

tesseract is measured twice: with its default number of threads, and with one, because its threads
spin while they wait, which costs more than it gains on busy cores.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.processes import free_port
from bench.servers import ROOT, Launch, Server, start
from bench.thin_server import LANGUAGES

NEEDS = {
    "rapidocr": "--rapidocr PYTHON, of a venv with requirements/bench.txt",
    "rapidocr-onnxruntime": "--rapidocr-onnxruntime PYTHON, of a venv with "
    "requirements/bench-rapidocr-onnxruntime.txt",
    "tesseract": "apt-get install tesseract-ocr tesseract-ocr-eng tesseract-ocr-chi-sim",
    "tesseract:one-thread": "the same as tesseract",
}
"""Every peer's name, and how to have it."""


class Missing(Exception):
    """A peer that was asked for is not there; says what to do about it."""


@dataclass(frozen=True)
class Peer:
    """A peer that can be started, and what its title has to say of it."""

    launch: Launch
    note: str = ""


def find_peers(rapidocr: Path | None, rapidocr_onnxruntime: Path | None) -> dict[str, Peer]:
    """Return the peers there are, by name. Raises Missing where a given Python lacks its peer."""
    found = {}
    if rapidocr:
        _need(rapidocr, "rapidocr_api", "rapidocr")
        found["rapidocr"] = Peer(lambda: launch_rapidocr(rapidocr))
    if rapidocr_onnxruntime:
        _need(rapidocr_onnxruntime, "rapidocr_onnxruntime", "rapidocr-onnxruntime")
        found["rapidocr-onnxruntime"] = Peer(
            lambda: launch_thin("rapidocr-onnxruntime", rapidocr_onnxruntime)
        )
    if version := tesseract_version():
        one = {"OMP_THREAD_LIMIT": "1"}
        note = f"{version} {LANGUAGES}"
        found["tesseract"] = Peer(lambda: launch_thin("tesseract"), note)
        found["tesseract:one-thread"] = Peer(
            lambda: launch_thin("tesseract", variables=one), f"{note}, one thread"
        )
    return found


def launch_rapidocr(python: Path) -> Server:
    """Start rapidocr_api by its own command, with its own defaults."""
    port = free_port()
    command: list[str | Path] = [python.with_name("rapidocr_api"), "-ip", "127.0.0.1"]
    command += ["-p", str(port), "-workers", "1"]
    return _serving(command, port, part="image_file")


def launch_thin(
    name: str, python: Path | None = None, *, variables: dict[str, str] | None = None
) -> Server:
    """Start a peer behind bench/thin_server.py; without its own Python, with ours."""
    port = free_port()
    # -P: of what lies beside the server, its Python sees nothing.
    command = [python or sys.executable, "-P", ROOT / "bench" / "thin_server.py", str(port), name]
    return _serving(command, port, part="", thin=True, variables=variables)


def _serving(
    command: Sequence[str | Path],
    port: int,
    *,
    part: str,
    thin: bool = False,
    variables: Mapping[str, str] | None = None,
) -> Server:
    """Start a peer's server by its command."""
    directory = tempfile.TemporaryDirectory(prefix="sealed-ocr-bench-")
    process = start(
        command, Path(directory.name), {"ORT_DISABLE_TELEMETRY": "1", **(variables or {})}
    )
    return Server(process, port, directory, http2=False, part=part, thin=thin)


def tesseract_version() -> str:
    """Return the version of the tesseract there is; nothing where it or a language is missing."""
    if shutil.which("tesseract") is None:
        return ""
    languages, version = (
        subprocess.run(["tesseract", option], capture_output=True, text=True, check=True).stdout
        for option in ("--list-langs", "--version")
    )
    if not {*LANGUAGES.split("+")} <= {*languages.splitlines()}:
        return ""
    return version.split()[1]


def _need(python: Path, module: str, name: str) -> None:
    """Raise Missing where `python` is none, or cannot import `module`."""
    program = f"import importlib.util as u; raise SystemExit(u.find_spec({module!r}) is None)"
    try:
        subprocess.run([python, "-c", program], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Missing(f"{name} needs {NEEDS[name]}; {python} does not have it") from error
