"""The files that bench/isolation.py decodes: the receipt, and generated ones, always the same."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bench.servers import ROOT

RECEIPT_FILE = ROOT / "examples" / "receipt.png"
SMALL, RECEIPT, PHOTO, DOCUMENT = "PNG 400x120", "receipt.png", "JPEG 4000x3000", "PDF, A4"


def files() -> dict[str, bytes]:
    """Return what is decoded, by name."""
    small = Image.new("RGB", (400, 120), "white")
    write(small, ["Invoice 2026-0815", "Total 47.11"], 32)
    return {
        SMALL: to_bytes(small, "PNG"),
        RECEIPT: RECEIPT_FILE.read_bytes(),
        PHOTO: to_bytes(photo(), "JPEG", quality=90),
        DOCUMENT: document(),
    }


def photo() -> Image.Image:
    """Return a page as a telephone sees it: 12 megapixels, uneven light, noise."""
    width, height = 4000, 3000
    light = (
        np.linspace(180, 235, width)[None, :, None] + np.linspace(-15, 15, height)[:, None, None]
    )
    noise = np.random.default_rng(1).normal(0, 6, (height, width, 1))
    paper = (light + noise + np.array([0, -4, -12])).clip(0, 255)
    image = Image.fromarray(paper.astype(np.uint8))
    write(image, ["The quick brown fox jumps over the lazy dog, 0123456789. " * 2] * 40, 56)
    return image


def write(image: Image.Image, lines: Sequence[str], size_px: int) -> None:
    """Write lines of text from the top left on."""
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(size_px)
    for number, line in enumerate(lines):
        pen.text((size_px // 2, size_px // 2 + number * size_px * 5 // 4), line, "#282629", font)


def to_bytes(image: Image.Image, kind: str, **options: int) -> bytes:
    """Return the image as a file."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def document() -> bytes:
    """Return a page of text; a reader finds its objects without a table of them."""
    rows = "".join(
        f"({number:02} Goods and services as agreed, 47.11 EUR) ' " for number in range(50)
    )
    text = f"BT /F 11 Tf 14 TL 50 790 Td {rows}ET"
    return (
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
        "/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj\n"
        f"4 0 obj<</Length {len(text)}>>stream\n{text}\nendstream endobj\ntrailer<</Root 1 0 R>>"
    ).encode()
