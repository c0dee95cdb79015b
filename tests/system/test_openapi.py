"""The running service does what its OpenAPI document says: schemathesis, and generated clients."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from tests.system.service import ROOT, Service, key_stanza

BIN = Path(sys.executable).parent
CONFIG = ROOT / "tests" / "system" / "schemathesis.toml"
RECEIPT = ROOT / "examples" / "receipt.png"
TYPESCRIPT = ROOT / "tests" / "clients" / "typescript"
MANY = "1000000/minute"
KEY, STANZA = key_stanza(
    "aaaa1111", "client", f'limits = {{ "*" = "{MANY}", "/ocr" = "{MANY}" }}', '["ocr", "metrics"]'
)
LOCAL = f"""
[limits]
per_address = "{MANY}"
failed_authentications = "{MANY}"
[model]
max_images = 2
{
    "".join(
        f'''[[functions]]
path = "{path}"
limits = []
'''
        for path in ("/openapi.json", "/docs")
    )
}
{STANZA}
"""
READ_IN_PYTHON = """
import ssl, sys
from ocr_client import AuthenticatedClient
from ocr_client.api.ocr import recognize
from ocr_client.models import ImageResult, Problem, RecognizeFilesBody, Words
from ocr_client.types import File

origin, authority, key, file = sys.argv[1:]
for token in (key, "wrong"):
    client = AuthenticatedClient(
        base_url=origin, token=token, verify_ssl=ssl.create_default_context(cafile=authority)
    )
    with open(file, "rb") as stream:
        image = File(payload=stream, file_name="receipt.png", mime_type="image/png")
        body = RecognizeFilesBody(image=[image])
        result = recognize.sync(client=client, body=body, words=Words.WORD)
    if isinstance(result, ImageResult):
        print("\\n".join(f"{line.text} {len(line.words)}" for line in result.lines))
    assert isinstance(result, ImageResult | Problem)
assert isinstance(result, Problem) and result.code.value == "not_authenticated", result
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with a key that may send as much as it wants."""
    with Service(tmp_path_factory.mktemp("service"), local=LOCAL) as running:
        yield running


@pytest.fixture(scope="module")
def document(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The document of that service, in a file."""
    file = tmp_path_factory.mktemp("openapi") / "openapi.json"
    with service.client(key=None) as client:
        file.write_bytes(client.get("/openapi.json").content)
    return file


def run(command: list[str | Path], directory: Path, **variables: str) -> str:
    """Run a program to its end and return what it wrote; it must succeed."""
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", **variables}
    done = subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-8000:]
    return done.stdout


def schemathesis(service: Service, document: Path, *arguments: str) -> Counter[str | None]:
    """Let schemathesis test the service with all its checks; count the outcomes on /ocr."""
    seen = len(service.log)
    run(
        [
            *(BIN / "schemathesis", "--config-file", CONFIG, "run", document),
            *("--url", service.url, "--checks", "all"),
            *("--tls-verify", str(service.authority), "--header", f"X-API-Key: {KEY}"),
            *("--generation-with-security-parameters", "false", "--continue-on-failure"),
            *("--seed", "1", "--generation-database", "none"),
            *("--no-color", *arguments),
        ],
        document.parent,
        SCHEMATHESIS_HOOKS="tests.system.schemathesis_hooks",
        PYTHONPATH=str(ROOT),
    )
    entries = [json.loads(line) for line in service.log[seen:] if line.startswith("{")]
    return Counter(
        "read" if entry["pages"] else entry["problem"]
        for entry in entries
        if entry.get("function") == "/ocr" and entry.get("method") == "POST"
    )


def test_the_document_is_valid(document: Path) -> None:
    """As the service sends it."""
    validate(json.loads(document.read_text("utf-8")))


def test_schemathesis_finds_nothing(service: Service, document: Path) -> None:
    """Valid requests are accepted, others refused, all with documented responses.

    At least half of those to /ocr reach the decoder.
    """
    valid = ("--mode", "positive", "--include-path", "/ocr", "--max-examples", "24")
    found = schemathesis(service, document, *valid)
    invalid = ("--mode", "negative", "--include-path", "/ocr", "--phases", "fuzzing")
    found += schemathesis(service, document, *invalid, "--max-examples", "20")
    schemathesis(service, document, "--exclude-path", "/ocr", "--max-examples", "10")
    assert found["read"] >= 24
    assert found["read"] >= found.total() / 2, found


def test_a_generated_python_client_reads_an_image(
    service: Service, document: Path, tmp_path: Path
) -> None:
    """openapi-python-client: typed results, words included, and typed problems."""
    generate: tuple[str | Path, ...] = (BIN / "openapi-python-client", "generate", "--path")
    run([*generate, document, "--output-path", "ocr_client", "--meta", "none"], tmp_path)
    (tmp_path / "read.py").write_text(READ_IN_PYTHON, encoding="utf-8")
    command: list[str | Path] = [sys.executable, "read.py", service.url, service.authority]
    assert "FLAT WHITE x2 3" in run([*command, KEY, RECEIPT], tmp_path).splitlines()


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is missing: apt-get install npm")
def test_a_generated_typescript_client_reads_an_image(
    service: Service, document: Path, tmp_path: Path
) -> None:
    """openapi-typescript: strict TypeScript of the types is compiled, then run."""
    project = tmp_path / "client"
    shutil.copytree(TYPESCRIPT, project)
    run(["npm", "ci", "--no-audit", "--no-fund"], project)
    tools = project / "node_modules" / ".bin"
    run([tools / "openapi-typescript", document, "-o", "ocr.ts"], project)
    run([tools / "tsc"], project)
    trust = {"NODE_EXTRA_CA_CERTS": str(service.authority)}
    read = ["node", "read.js", service.url]
    assert "FLAT WHITE x2 3" in run([*read, KEY, RECEIPT], project, **trust).splitlines()
    refused = run([*read, "wrong", RECEIPT], project, **trust)
    assert refused.startswith("not_authenticated ")
