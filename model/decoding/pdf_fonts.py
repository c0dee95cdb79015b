"""The machine's Chinese fonts, for documents that name a font without embedding it.

PDFium opens a font file when a page needs it, which a restricted process can't. So the zygote
renders a page with such fonts before it is restricted; the data that PDFium reads is cached, and
decoders get it from memory. If the machine has no such font, the text stays blank, and the page has
a warning.
"""

import ctypes
import os
from typing import Any

import pypdfium2
from pypdfium2 import raw

from model.decoding.pdf import PdfFile
from model.workers import memfd

# Name, character collection and encoding of the fonts that documents name most often.
_FONTS = (
    ("STSong-Light", "GB1", "UniGB-UCS2-H"),
    ("STSong-Light,Bold", "GB1", "UniGB-UCS2-H"),
    ("MSung-Light", "CNS1", "UniCNS-UCS2-H"),
    ("MSung-Light,Bold", "CNS1", "UniCNS-UCS2-H"),
)
# Not for Japanese and Korean: no recogniser here knows their characters.
_READABLE = (raw.FXFONT_GB2312_CHARSET, raw.FXFONT_CHINESEBIG5_CHARSET)
_UNREADABLE = (raw.FXFONT_SHIFTJIS_CHARSET, raw.FXFONT_HANGEUL_CHARSET)
_SIDE = 16  # points and pixels of the rendered page


class CachedFonts(pypdfium2.PdfSysfontBase):  # type: ignore[misc] # untyped
    """PDFium's font lookup, with a cache of the data that it reads."""

    def __init__(self) -> None:
        super().__init__()
        self._tables: dict[tuple[int, int], bytes] = {}
        self.missing = False

    def MapFont(  # noqa: N802, PLR0917
        self, _: Any, weight: int, italic: int, charset: int, pitch: int, face: Any, exact: Any
    ) -> Any:
        """Return a font for one that is not embedded; note if there is none that can be read."""
        font = self.default.MapFont(self.default, weight, italic, charset, pitch, face, exact)
        self.missing |= charset in _UNREADABLE or (charset in _READABLE and not font)
        return font

    def GetFontData(self, _: Any, font: int, table: int, buffer: Any, size: int) -> int:  # noqa: N802
        """Write a font's table to the buffer, 0 for the whole file; return its length."""
        cached = self._tables.get((font, table))
        if cached is None:
            length = int(self.default.GetFontData(self.default, font, table, buffer, size))
            if buffer and length and size >= length:
                data = ctypes.string_at(buffer, length)
                # Several names may refer to one font: its data is stored once.
                stored = next((each for each in self._tables.values() if each == data), data)
                self._tables[font, table] = stored
            return length
        if buffer and size >= len(cached):
            ctypes.memmove(buffer, cached, len(cached))
        return len(cached)


fonts = CachedFonts()
"""The fonts of this process; `missing` says whether the rendered page needs one that it lacks."""


def cache_fonts() -> None:
    """Render a page with every font that decoders may need, while files can still be opened."""
    fonts.setup()
    output = memfd.output_buffer("fonts", _SIDE * _SIDE * 3)
    PdfFile(_page(), _SIDE * _SIDE, _SIDE * _SIDE, dpi=72, form_s=1, reduction=1).render(1, output)
    os.close(output)
    fonts.missing = False


def _page() -> bytes:
    """Return a document with a character in each font; PDFium rebuilds its missing xref table."""
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
