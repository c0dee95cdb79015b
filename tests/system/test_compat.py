"""The drop-ins with the clients that were written for the other services, over real TLS."""

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import ocrspace
import pytest
import requests
from PIL import Image

from tests.system.service import ROOT, Service

RECEIPT = ROOT / "examples" / "receipt.png"
COMPAT = (ROOT / "docs" / "compat.md").read_text("utf-8")
PATHS = ("/api/ocr", "/api/ocr/get_options", "/api/doc/{action}", "/rapidocr/ocr", "/paddlex/ocr",
         "/process", "/parse/image", "/liteparse/ocr", "/tesseract")  # fmt: skip
WITH_KEY = "/process"
"""The one that needs a key from this machine, too."""
LOCAL = "[limits]\nper_key = '900/minute'\n" + "".join(
    f'[[functions]]\npath = "{path}"\nenabled = true\nlimits = ["900/minute"]\n'
    + ("" if path == WITH_KEY else "loopback_without_key = true\n")
    for path in PATHS
)
CAFE, TOTAL = "海风咖啡馆", "18.95"


@pytest.fixture(scope="module")
def dropins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service with all drop-ins."""
    with Service(tmp_path_factory.mktemp("compat"), local=LOCAL) as running:
        yield running


@pytest.fixture(autouse=True)
def trust(dropins: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the clients trust the development CA, in the way that docs/compat.md says."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(dropins.authority))
    monkeypatch.setenv("SSL_CERT_FILE", str(dropins.authority))


def test_umi_ocr(dropins: Service) -> None:
    """The Python example of its documentation, statement by statement."""
    options: dict[str, Any] = {"tbpu.parser": "multi_para", "data.format": "text"}
    data: dict[str, Any] = {
        "base64": base64.b64encode(RECEIPT.read_bytes()).decode(),
        "options": options,
    }
    headers = {"Content-Type": "application/json"}
    response = requests.post(
        f"{dropins.url}/api/ocr", data=json.dumps(data), headers=headers, timeout=60
    )
    response.raise_for_status()
    answer = json.loads(response.text)
    assert answer["code"] == 100
    assert answer["data"].startswith(CAFE)
    assert f"合计 TOTAL {TOTAL}\n" in answer["data"]
    options["data.format"] = "dict"
    response = requests.post(f"{dropins.url}/api/ocr", json=data, timeout=60)
    assert "".join(line["text"] + line["end"] for line in response.json()["data"][:3]) == (
        "海风咖啡馆\nHARBOUR CAFE 18 QUAY STREET\n"
    )
    response = requests.get(f"{dropins.url}/api/ocr/get_options", timeout=60)
    assert json.loads(response.text)["tbpu.parser"]["type"] == "enum"


def test_umi_ocr_documents_with_curl(dropins: Service) -> None:
    """The upload ends, although the service takes nothing of it: curl goes on after a 200."""
    done = subprocess.run(
        ["curl", "-sS", "--cacert", dropins.authority, "--max-time", "20", "-F", f"file=@{RECEIPT}",
         f"{dropins.url}/api/doc/upload"],
        capture_output=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout)["code"] == 900


def test_paddlex(dropins: Service) -> None:
    """The Python example of its documentation, which takes the image without asking for it."""
    payload: dict[str, Any] = {
        "file": base64.b64encode(RECEIPT.read_bytes()).decode("ascii"),
        "fileType": 1,
    }
    response = requests.post(f"{dropins.url}/paddlex/ocr", json=payload, timeout=60)
    assert response.status_code == 200
    result = response.json()["result"]
    for each in result["ocrResults"]:
        assert CAFE in each["prunedResult"]["rec_texts"]
        assert base64.b64decode(each["ocrImage"]).startswith(b"\xff\xd8\xff")
    assert result["dataInfo"] == {"type": "image", "width": 640, "height": 860}


def test_ocrspace(dropins: Service) -> None:
    """The package on PyPI; it sends its key in the form, so this machine needs none."""
    client = ocrspace.API(endpoint=f"{dropins.url}/parse/image", language="chs")
    assert client.ocr_file(str(RECEIPT)).startswith(f"{CAFE}\r\n")
    with pytest.raises(Exception, match="URLs are never fetched"):
        client.ocr_url("https://example.org/x.png")


def test_liteparse(dropins: Service, tmp_path: Path) -> None:
    """The package on PyPI reads a scanned page through the service."""
    scan = tmp_path / "scan.pdf"
    with Image.open(RECEIPT) as image:
        image.convert("RGB").save(scan, resolution=100)
    program = f"""
import liteparse
parser = liteparse.LiteParse(ocr_server_url={dropins.url + "/liteparse/ocr"!r}, ocr_language="zh")
print(parser.parse({str(scan)!r}).pages[0].text)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True
    )
    assert CAFE in done.stdout
    assert re.search(rf"合计 TOTAL +{TOTAL}", done.stdout)


def test_open_webui(dropins: Service) -> None:
    """The request of its loader, with the key as a bearer; other functions still need one."""
    headers = {"Content-Type": "image/png", "X-Filename": "..%2Freceipt.png"}
    data = RECEIPT.read_bytes()
    url = f"{dropins.url}{WITH_KEY}"
    refused = requests.put(url, data=data, headers=headers, timeout=60)
    assert refused.status_code == HTTPStatus.UNAUTHORIZED
    headers["Authorization"] = f"Bearer {dropins.key}"
    response = requests.put(url, data=data, headers=headers, timeout=60)
    assert response.json()[0]["page_content"].startswith(CAFE)
    assert requests.post(f"{dropins.url}/ocr", data=data, timeout=60).status_code == 401


def test_a_browser_on_this_machine_needs_a_key(dropins: Service) -> None:
    """Negative control of loopback_without_key; the log says where it is in force."""
    headers = {"Origin": "https://evil.example"}
    response = requests.post(f"{dropins.url}/api/ocr", data="{}", headers=headers, timeout=60)
    assert (response.status_code, response.json()["code"]) == (401, 401)
    assert requests.post(f"{dropins.url}/api/ocr", data="{}", timeout=60).json()["code"] == 802
    assert WITH_KEY not in dropins.logged('"loopback_without_key"')


COMMANDS = re.findall(r"^```sh\n((?:printf|curl).*?)^```", COMPAT, re.DOTALL | re.MULTILINE)


def test_each_drop_in_has_a_command() -> None:
    """But LiteParse, whose own test is above."""
    assert [re.findall(r"https://localhost:8443(\S+)", each) for each in COMMANDS] == [
        ["/api/ocr"], ["/rapidocr/ocr"], ["/paddlex/ocr"], ["/process"], ["/parse/image"],
        ["/tesseract"],
    ]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=range(len(COMMANDS)))
def test_the_commands_of_the_documentation(command: str, dropins: Service, tmp_path: Path) -> None:
    """As they stand, with this service's address, CA and key."""
    key = tmp_path / "key"
    key.write_text(dropins.key)
    for name, value in (
        ("https://localhost:8443", dropins.url),
        ("tls/local/ca.pem", str(dropins.authority)),
        (".dev/key", str(key)),
        ("curl ", "curl -sS "),
    ):
        command = command.replace(name, value)
    done = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, env=os.environ, capture_output=True, check=True
    )
    assert TOTAL in done.stdout.decode()
