"""A service, a scanned document, and how the programs of .venv-integrations are run."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from tests.system.service import ROOT, Service

BIN = ROOT / ".venv-integrations" / "bin"
FONT = "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc"
LINES = (
    "\u623f\u5c4b\u79df\u8d41\u5408\u540c",
    "\u7532\u65b9\uff1a\u5317\u4eac\u6d77\u98ce\u79d1\u6280\u6709\u9650\u516c\u53f8",
    "Rent per month 4,500.00 RMB",
)


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service."""
    with Service(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture(scope="session")
def environment(service: Service) -> dict[str, str]:
    """Variables that name the service, its CA and a key's file."""
    return {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "LANG": "C.UTF-8",
        "SEALED_OCR_URL": service.url,
        "SEALED_OCR_CA": str(service.authority),
        "SEALED_OCR_KEY_FILE": str(service.directory / ".dev" / "key"),
    }


@pytest.fixture(scope="session")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PDF of two pages without text, the second of which stands on its side."""
    page = Image.new("RGB", (900, 420), "white")
    font = ImageFont.truetype(FONT, 36)
    for number, line in enumerate(LINES):
        ImageDraw.Draw(page).text((60, 60 + 110 * number), line, "black", font)
    turned = page.transpose(Image.Transpose.ROTATE_270)
    file = tmp_path_factory.mktemp("scan") / "scan.pdf"
    page.save(file, save_all=True, append_images=[turned], resolution=150)
    return file
