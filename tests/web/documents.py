"""The files that the tests of the page choose, drawn here."""

import io
import os
from base64 import b64encode
from functools import cached_property
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

RECEIPT = Path(__file__).resolve().parents[2] / "examples" / "receipt.png"
HOSTILE = "<img src=x onerror=alert(1)>"


class Documents:
    """Files in a directory; each is made when it is first asked for."""

    receipt = RECEIPT

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @cached_property
    def hostile(self) -> Path:
        """An image of a text that would be HTML."""
        return self._written("hostile.png", _png(_drawn(HOSTILE)))

    @property
    def hostile_base64(self) -> str:
        """The same image in base64."""
        return b64encode(self.hostile.read_bytes()).decode()

    @cached_property
    def report(self) -> Path:
        """A PDF of 12 pages."""
        first, *others = [_drawn(f"Page number {n}") for n in range(1, 13)]
        stream = io.BytesIO()
        first.save(stream, "PDF", save_all=True, append_images=others, resolution=150)
        return self._written("report.pdf", stream.getvalue())

    @cached_property
    def photograph(self) -> Path:
        """The first bytes of a HEIC file."""
        return self._written("photograph.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(2000))

    @cached_property
    def huge(self) -> Path:
        """An image of more than 5 MB, most of them a comment."""
        comment = PngInfo()
        comment.add_text("Comment", os.urandom(2_600_000).hex())
        return self._written("huge.png", _png(_drawn("Large photograph"), pnginfo=comment))

    def _written(self, name: str, content: bytes) -> Path:
        file = self._directory / name
        file.write_bytes(content)
        return file


def _drawn(text: str) -> Image.Image:
    page = Image.new("RGB", (800, 300), "white")
    ImageDraw.Draw(page).text((40, 100), text, "black", ImageFont.load_default(36))
    return page


def _png(page: Image.Image, **options: PngInfo) -> bytes:
    stream = io.BytesIO()
    page.save(stream, "PNG", **options)
    return stream.getvalue()
