"""Uploads for long runs: pages and documents with a number each, and unreadable files."""

import io
import random

from PIL import Image, ImageDraw, ImageFont

from tests.model.decoding.pdfs import pdf

Numbered = tuple[str, bytes]  # the number that stands on every page of an upload, and the upload

_KINDS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF")
_WITHOUT_PAGES = (
    b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>"
)


def numbers(chance: random.Random, count: int) -> list[str]:
    """Return numbers of eight digits, of which two are hardly ever alike."""
    return [str(chance.randrange(10**7, 10**8)) for _ in range(count)]


def page(chance: random.Random, number: str) -> Numbered:
    """Return an image between a label and a page, of any type."""
    size, lines = chance.randint(24, 40), chance.choice((1, 1, 1, 2, 3, 4, 8))
    image = Image.new("RGB", (size * 20 + chance.randrange(400), size * 2 * (lines + 1)), "white")
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(size)
    for line in range(lines):
        text = number if line == 0 else "goods and services as agreed"
        pen.text((size, size * (1 + 2 * line)), text, "black", font)
    stream = io.BytesIO()
    image.save(stream, chance.choice(_KINDS))
    return number, stream.getvalue()


def document(chance: random.Random, number: str) -> Numbered:
    """Return a PDF of one to three pages."""
    return number, pdf(*[number] * chance.randint(1, 3))


def unreadable(chance: random.Random) -> list[bytes]:
    """Return what is refused: cut short, damaged, of no type, too large, without a page."""
    whole = [page(chance, "12345678")[1] for _ in range(12)]
    bomb = io.BytesIO()
    Image.new("1", (12_000, 12_000)).save(bomb, "PNG")
    return [
        *(upload[: len(upload) // 3] for upload in whole),
        *(upload[:100] + chance.randbytes(2000) for upload in whole),
        *(chance.randbytes(chance.randint(1, 20_000)) for _ in range(6)),
        b"%PDF-1.7\n" + chance.randbytes(20_000),
        _WITHOUT_PAGES,
        bomb.getvalue(),
    ]
