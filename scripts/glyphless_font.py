"""Makes handlers/pdf/glyphless.ttf, the font of the invisible text of PDFs.

`python -m scripts.glyphless_font` writes the file; it needs fontTools. Every character of a PDF is
its glyph "blank": a square of one em with nothing in it. It contains the tables that ISO 32000-1,
section 9.9, requires of a TrueType font, and no more.
"""

import io
from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPointPen
from fontTools.ttLib.tables._g_l_y_f import Glyph

FILE = Path(__file__).parents[1] / "handlers" / "pdf" / "glyphless.ttf"
EM = 1000
ASCENT = 800
EPOCH = 2_082_844_800  # 1970, in seconds since 1904: the file does not say when it was made
UNUSED = ("cmap", "name", "OS/2", "post")  # a PDF has its own


def font() -> bytes:
    """Return the bytes of the font; they are the same each time."""
    names = [".notdef", "blank"]
    builder = FontBuilder(EM, isTTF=True)
    builder.updateHead(created=EPOCH, modified=EPOCH)
    builder.font.recalcTimestamp = False
    builder.setupGlyphOrder(names)
    builder.setupGlyf(dict.fromkeys(names, _blank()))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (EM, 0)))
    builder.setupHorizontalHeader(ascent=ASCENT, descent=ASCENT - EM)
    for table in UNUSED:
        if table in builder.font:
            del builder.font[table]
    file = io.BytesIO()
    builder.save(file)
    return file.getvalue()


def _blank() -> Glyph:
    """Return a glyph as large as the em that draws nothing: two contours of one point each.

    PDFium ignores text whose glyphs have no size.
    """
    pen = TTGlyphPointPen(None)
    for corner in ((0, ASCENT - EM), (EM, ASCENT)):
        pen.beginPath()
        pen.addPoint(corner, "line")
        pen.endPath()
    return pen.glyph()


if __name__ == "__main__":
    FILE.write_bytes(font())
