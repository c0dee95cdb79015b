"""Hostile PDF files: what is drawn on a page. Source: ISO 32000-1, sections 7.4 and 8 to 11."""

import zlib
from functools import partial

from tests.corpus.entry import ENDLESS, FORGIVEN, MARK, READ, Entry
from tests.corpus.pdf import TEXT, one_page, stream

_FORM = b"/Type/XObject/Subtype/Form/BBox[0 0 60 24]"
_DRAW = b"/X Do"


def _objects(number: int = 5) -> bytes:
    return b"<</XObject<</X %d 0 R>>>>" % number


def _drawing(*objects: bytes) -> bytes:
    """Return a page that draws object 5."""
    return one_page(_DRAW, resources=_objects(), objects=objects)


def _form(content: bytes, draws: int) -> bytes:
    """Return a form whose X is object `draws`."""
    return stream(content, _FORM + b"/Resources" + _objects(draws))


def _tower(height: int, times: int) -> bytes:
    """Return a page with a form that draws a form `times` times, and so on."""
    forms = [_form((_DRAW + b"\n") * times, 6 + number) for number in range(height)]
    return _drawing(*forms, _form(b"0 0 9 9 re f", 5))


def _image(width: int, height: int, data: bytes, more: bytes, bits: int = 8) -> bytes:
    size = b"/Width %d/Height %d/BitsPerComponent %d" % (width, height, bits)
    image = stream(data, b"/Type/XObject/Subtype/Image/ColorSpace/DeviceGray" + size + more)
    content = b"q 60 0 0 24 0 0 cm /X Do Q"
    return one_page(content, resources=_objects(), objects=[image])


def _filtered(data: bytes, filters: bytes, width: int = 60, height: int = 24) -> bytes:
    return _image(width, height, data, b"/Filter" + filters)


def _onion(layers: int) -> bytes:
    """Return content compressed so many times over: a megabyte at the core."""
    data = bytes(1 << 24)
    for _ in range(layers):
        data = zlib.compress(data, 9)
    filters = b"/Filter[" + b"/FlateDecode" * layers + b"]"
    return one_page(b"/X Do", resources=_objects(), objects=[stream(data, _FORM + filters)])


def _pattern(body: bytes, dictionary: bytes) -> bytes:
    """Return a page painted with pattern 5."""
    return one_page(
        b"/Pattern cs /P scn 0 0 60 24 re f",
        resources=b"<</Pattern<</P 5 0 R>>>>",
        objects=[stream(body, b"/Type/Pattern" + dictionary)],
    )


def _shading(shading: bytes) -> bytes:
    return one_page(b"/S sh", resources=b"<</Shading<</S 5 0 R>>>>", objects=[shading])


def _font(font: bytes, *objects: bytes) -> bytes:
    return one_page(TEXT, resources=b"<</Font<</F 5 0 R>>>>", objects=[font, *objects])


def _annotated(annotation: bytes) -> bytes:
    return one_page(more=b"/Annots[5 0 R]", objects=[annotation])


_ZEROS = zlib.compress(bytes(64 << 20), 9)
_OPERATORS = {
    "million-operators": b"0 0 m 1 1 l S\n" * 330_000,
    "million-saves": b"q " * 1_000_000,
    "million-restores": b"Q " * 1_000_000,
    "million-numbers": b"1 " * 1_000_000 + b"re f",
    "20000-curves": b"0 0 m " + b"0 9 60 9 60 24 c " * 20_000 + b"S",
    "million-clips": b"0 0 60 24 re W n " * 100_000,
    "unknown-operators": MARK + b" " + b"ZZZ " * 100_000,
    "arrays-never-closed": b"[" * 1_000_000,
    "text-never-ended": b"BT " * 100_000 + b"/F 16 Tf (x) Tj",
    "font-of-a-billion": b"BT /F 1000000000 Tf (Ab) Tj ET",
    "font-of-nothing": b"BT /F 0 Tf (Ab) Tj ET",
    "matrix-of-zeros": b"0 0 0 0 0 0 cm 0 0 9 9 re f",
    "matrix-of-billions": b"1e9 1e9 -1e9 1e9 1e30 1e30 cm 0 0 9 9 re f",
    "dashes-of-nothing": b"[0 0 0] 0 d 0 0 m 60 24 l S",
    "dashes-of-atoms": b"[0.00001 0.00001] 0 d 2 w 0 0 m 60 24 l S",
    "line-of-a-billion": b"1000000000 w 0 0 m 60 24 l S",
    "inline-image-never-ended": b"BI /W 60 /H 24 /BPC 8 /CS /G ID " + MARK * 90,
    "inline-image-of-a-billion": b"BI /W 999999999 /H 999999999 /BPC 8 /CS /G ID x EI",
    "colours-unknown": b"/Nowhere cs 1 2 3 4 5 scn /Nowhere gs /Nowhere Do",
}
_FILTERS = {
    "fax": b"/CCITTFaxDecode/DecodeParms<</K -1/Columns 60000/Rows 60000>>",
    "jpeg": b"/DCTDecode",
    "jpeg-2000": b"/JPXDecode",
    "jbig2": b"/JBIG2Decode",
    "lzw": b"/LZWDecode",
    "runs": b"/RunLengthDecode",
    "hex": b"/ASCIIHexDecode",
    "base-85": b"/ASCII85Decode",
    "unknown": b"/Unknown",
    "a-hundred": b"[" + b"/FlateDecode" * 100 + b"]",
    "itself": b" 5 0 R",
    "predictor-99": b"/FlateDecode/DecodeParms<</Predictor 99/Colors 999999/Columns 99999999>>",
}
_TYPE_3 = (
    b"<</Type/Font/Subtype/Type3/FontBBox[0 0 9 9]/FontMatrix[1 0 0 1 0 0]/FirstChar 32/LastChar 99"
    b"/Widths[]/Encoding<</Differences[32/a 65/a 98/a]>>/CharProcs<</a 6 0 R>>"
    b"/Resources<</Font<</F 5 0 R>>>>>>"
)

ENTRIES = (
    *(Entry(f"pdf-content-{name}", partial(one_page, content), FORGIVEN)
      for name, content in _OPERATORS.items()),
    *(Entry(f"pdf-image-as-{name}", partial(_filtered, MARK * 40, filters), FORGIVEN)
      for name, filters in _FILTERS.items()),
    Entry("pdf-content-packed-bomb", lambda: one_page(b"q Q " * (8 << 20), packed=True), FORGIVEN),
    Entry("pdf-form-in-itself", lambda: _drawing(_form(_DRAW, 5)), FORGIVEN),
    Entry("pdf-two-forms-in-each-other", lambda: _drawing(_form(_DRAW, 6), _form(_DRAW, 5)),
          FORGIVEN),
    Entry("pdf-tower-of-1000-forms", partial(_tower, 1000, 1), FORGIVEN),
    Entry("pdf-tower-of-10000-forms", partial(_tower, 4, 10), FORGIVEN),
    Entry("pdf-tower-without-end", partial(_tower, 25, 8), FORGIVEN | ENDLESS),
    Entry("pdf-onion", partial(_onion, 5), FORGIVEN),
    Entry("pdf-image-bomb", lambda: _filtered(_ZEROS, b"/FlateDecode", 8192, 8192), FORGIVEN),
    Entry("pdf-image-claims-60000x60000",
          lambda: _filtered(_ZEROS, b"/FlateDecode", 60_000, 60_000), FORGIVEN),
    Entry("pdf-image-claims-2-to-31",
          lambda: _filtered(MARK, b"/FlateDecode", 2**31 - 1, 2**31 - 1), FORGIVEN),
    Entry("pdf-image-of-minus-1", lambda: _filtered(MARK, b"/FlateDecode", -1, -1), FORGIVEN),
    Entry("pdf-image-of-64-bits", lambda: _image(60, 24, MARK, b"", bits=64), FORGIVEN),
    Entry("pdf-image-masked-by-itself", lambda: _image(60, 24, MARK, b"/SMask 5 0 R/Mask 5 0 R"),
          FORGIVEN),
    Entry("pdf-pattern-in-itself", lambda: _pattern(
        b"/Pattern cs /P scn 0 0 9 9 re f",
        b"/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 9 9]/XStep 9/YStep 9"
        b"/Resources<</Pattern<</P 5 0 R>>>>"), FORGIVEN | ENDLESS),
    Entry("pdf-pattern-without-steps", lambda: _pattern(
        b"0 0 1 1 re f", b"/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 1 1]/XStep 0/YStep 0"
        b"/Resources<<>>"), FORGIVEN),
    Entry("pdf-shading-of-a-billion-samples", lambda: _shading(
        b"<</ShadingType 1/ColorSpace/DeviceGray/Function<</FunctionType 0/Domain[0 1 0 1]"
        b"/Range[0 1]/Size[99999 99999]/BitsPerSample 8>>>>"), FORGIVEN),
    Entry("pdf-shading-in-itself", lambda: _shading(
        b"<</ShadingType 2/ColorSpace[/Separation/x/DeviceGray 5 0 R]/Coords[0 0 0 0]"
        b"/Function 5 0 R>>"), FORGIVEN),
    Entry("pdf-mesh-of-garbage", lambda: _shading(stream(MARK * 900,
        b"/ShadingType 7/ColorSpace/DeviceGray/BitsPerCoordinate 32/BitsPerComponent 16"
        b"/BitsPerFlag 8/Decode[0 60 0 24 0 1]")), FORGIVEN),
    Entry("pdf-glyph-in-itself", lambda: _font(_TYPE_3, stream(b"9 0 d0 " + TEXT)), FORGIVEN),
    Entry("pdf-font-of-garbage", lambda: _font(
        b"<</Type/Font/Subtype/TrueType/BaseFont/X/FontDescriptor<</FontFile2 6 0 R/Flags 4>>>>",
        stream(b"\0\1\0\0\xff\xff" + MARK * 900)), FORGIVEN),
    Entry("pdf-font-below-itself", lambda: _font(
        b"<</Type/Font/Subtype/Type0/BaseFont/X/Encoding 6 0 R/DescendantFonts[5 0 R]>>",
        stream(b"1 begincodespacerange <0000> <ffffffff> endcodespacerange")), FORGIVEN),
    Entry("pdf-annotation-in-itself", lambda: _annotated(stream(
        _DRAW, _FORM + b"/Type/Annot/Rect[0 0 60 24]/AP<</N 5 0 R>>/Popup 5 0 R/Resources"
        + _objects())), READ),
    Entry("pdf-500000-annotations", lambda: one_page(
        more=b"/Annots[" + b"3 0 R " * 500_000 + b"]"), FORGIVEN),
)  # fmt: skip
