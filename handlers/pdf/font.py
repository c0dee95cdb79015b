"""The font of the invisible text: one glyph without an outline, which stands for every character.

scripts/glyphless_font.py makes its file. A character's code in the PDF is the number of its first
use; the ToUnicode map at the end of the file says which character each code is, in any plane.
"""

from functools import cache
from pathlib import Path

from handlers.pdf.objects import Objects

ASCENT = 0.8  # the em's part above the baseline
_FILE = Path(__file__).with_name("glyphless.ttf")
_LAST_CODE = 0xFFFF
_UNKNOWN = b"0000"  # there is no code left
_BATCH = 100  # entries of a bfchar: at most, by Adobe's Technical Note 5014
_DESCENDANT = (
    b"<</Type/Font/Subtype/CIDFontType2/BaseFont/Glyphless/DW 1000/FontDescriptor %d 0 R"
    b"/CIDToGIDMap %d 0 R/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>>>"
)
_DESCRIPTOR = (
    b"<</Type/FontDescriptor/FontName/Glyphless/Flags 4/FontBBox[0 -200 1000 800]/ItalicAngle 0"
    b"/Ascent 800/Descent -200/CapHeight 800/StemV 80/FontFile2 %d 0 R>>"
)
_CMAP = b"""/CIDInit/ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def
/CMapName/Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000><FFFF>
endcodespacerange
%bendcmap
CMapName currentdict/CMap defineresource pop
end
end
"""


class Font:
    """The codes of the characters of one document."""

    def __init__(self, objects: Objects) -> None:
        self.number = objects.reserve()
        self._codes: dict[str, bytes] = {}

    def encode(self, text: str) -> bytes:
        """Return the codes of the characters, in hexadecimal digits."""
        codes = self._codes
        for character in text:
            if character not in codes and len(codes) < _LAST_CODE:
                codes[character] = b"%04x" % (len(codes) + 1)
        return b"".join(codes.get(character, _UNKNOWN) for character in text)

    def write(self, objects: Objects) -> None:
        """Write the font, when all its characters are known."""
        descendant, descriptor, file, glyphs, unicode = (objects.reserve() for _ in range(5))
        objects.add(
            self.number,
            b"<</Type/Font/Subtype/Type0/BaseFont/Glyphless/Encoding/Identity-H"
            b"/DescendantFonts[%d 0 R]/ToUnicode %d 0 R>>" % (descendant, unicode),
        )
        objects.add(descendant, _DESCENDANT % (descriptor, glyphs))
        objects.add(descriptor, _DESCRIPTOR % file)
        font = _font_file()
        objects.add_compressed(file, b"/Length1 %d" % len(font), font)
        objects.add_compressed(glyphs, b"", b"\0\1" * (len(self._codes) + 1))
        objects.add_compressed(unicode, b"/Type/CMap/CMapName/Adobe-Identity-UCS", self._cmap())

    def _cmap(self) -> bytes:
        """Return the ToUnicode map: the UTF-16 of each code."""
        entries = [
            b"<%b><%b>\n" % (code, character.encode("utf-16-be").hex().encode())
            for character, code in self._codes.items()
        ]
        batches = [entries[first : first + _BATCH] for first in range(0, len(entries), _BATCH)]
        return _CMAP % b"".join(
            b"%d beginbfchar\n%bendbfchar\n" % (len(batch), b"".join(batch)) for batch in batches
        )


@cache
def _font_file() -> bytes:
    return _FILE.read_bytes()
