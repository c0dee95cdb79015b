"""The machine's Chinese fonts, for documents that name theirs without bringing them along.

PDFium opens a font's file when a page needs it, which a locked process cannot. So the zygote draws
a page in such fonts before it is locked; what PDFium read for it is kept, and answered from memory
in every decoder. Without such a font on the machine those texts stay blank.
"""

import ctypes
import os
from typing import Any

import pypdfium2

from model.decoding.pdf import PdfFile
from model.workers import memfd

# Name, character collection and encoding of the fonts that such documents name most.
_FONTS = (
    ("STSong-Light", "GB1", "UniGB-UCS2-H"),
    ("STSong-Light,Bold", "GB1", "UniGB-UCS2-H"),
    ("MSung-Light", "CNS1", "UniCNS-UCS2-H"),
    ("MSung-Light,Bold", "CNS1", "UniCNS-UCS2-H"),
)
_SIDE = 16  # pixels of the page that is drawn


class RememberedFonts(pypdfium2.PdfSysfontBase):  # type: ignore[misc] # it has no types
    """PDFium's own search for fonts, but what it reads is read once."""

    def __init__(self) -> None:
        super().__init__()
        self._tables: dict[tuple[int, int], bytes] = {}

    def GetFontData(self, _: Any, font: int, table: int, buffer: Any, size: int) -> int:  # noqa: N802
        """Fill the buffer with a font's table, 0 being the whole file; return its length."""
        known = self._tables.get((font, table))
        if known is None:
            length = int(self.default.GetFontData(self.default, font, table, buffer, size))
            if buffer and length and size >= length:
                data = ctypes.string_at(buffer, length)
                # Several names may stand for one font: it is kept once.
                kept = next((each for each in self._tables.values() if each == data), data)
                self._tables[font, table] = kept
            return length
        if buffer and size >= len(known):
            ctypes.memmove(buffer, known, len(known))
        return len(known)


def remember_fonts() -> None:
    """Draw a page in every font that is to be had later; files must still be open to us."""
    RememberedFonts().setup()
    room = memfd.room("fonts", _SIDE * _SIDE * 3)
    PdfFile(_page(), _SIDE * _SIDE, 72).draw(1, room)
    os.close(room)


def _page() -> bytes:
    """Return a document with a character in each font; its table is missing, and made good."""
    first = 5
    names = " ".join(f"/F{number} {first + 2 * number} 0 R" for number in range(len(_FONTS)))
    text = " ".join(f"/F{number} 8 Tf <4E00> Tj" for number in range(len(_FONTS)))
    uses = f"/Contents 4 0 R/Resources<</Font<<{names}>>>>"
    content = f"BT {text} ET"
    bodies = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {_SIDE} {_SIDE}]{uses}>>",
        f"<</Length {len(content)}>>stream\n{content}\nendstream",
    ]
    for number, (name, collection, encoding) in enumerate(_FONTS):
        descendant = first + 2 * number + 1
        bodies.append(
            f"<</Type/Font/Subtype/Type0/BaseFont/{name}/Encoding/{encoding}"
            f"/DescendantFonts[{descendant} 0 R]>>"
        )
        bodies.append(
            f"<</Type/Font/Subtype/CIDFontType0/BaseFont/{name}/CIDSystemInfo<</Registry(Adobe)"
            f"/Ordering({collection})/Supplement 2>>>>"
        )
    objects = "\n".join(f"{number} 0 obj{body}endobj" for number, body in enumerate(bodies, 1))
    return f"%PDF-1.7\n{objects}\ntrailer<</Root 1 0 R>>\n".encode("ascii")
