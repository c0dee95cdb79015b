"""Small valid files of every type that is read: what truncation and mutation start from."""

import io
from collections.abc import Callable, Mapping

from PIL import Image, ImageDraw, ImageFont

from tests.corpus.pdf import TEXT, document, one_page, page, stream

SIZE = (60, 24)
_WORD = "Ab 12"


def picture(mode: str = "RGB", word: str = _WORD) -> Image.Image:
    """Return a word, black on white, as an image of 60 x 24 in the given mode."""
    image = Image.new("RGB", SIZE, "white")
    ImageDraw.Draw(image).text((4, 1), word, "black", ImageFont.load_default(18))
    return image.convert(mode)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """Return the image as a file of that kind."""
    stream_ = io.BytesIO()
    image.save(stream_, kind, **options)
    return stream_.getvalue()


def frames(kind: str, **options: object) -> bytes:
    """Return a file of three pages or frames."""
    more = [picture(word=word) for word in ("Cd 34", "Ef 56")]
    return saved(picture(), kind, save_all=True, append_images=more, **options)


def short_pdf() -> bytes:
    """Return a document of two pages of text, one with an image and compressed content."""
    jpeg = saved(picture(), "JPEG")
    width, height = SIZE
    image = stream(
        jpeg,
        b"/Type/XObject/Subtype/Image/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/DCTDecode"
        b"/Width %d/Height %d" % (width, height),
    )
    font = b"<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>/XObject<</I 7 0 R>>>>"
    return document(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R 5 0 R]/Count 2>>",
            page(b"4 0 R", resources=font),
            stream(b"BT /F 16 Tf 4 6 Td (Ab 12) Tj ET"),
            page(b"6 0 R", resources=font),
            stream(b"q 60 0 0 24 0 0 cm /I Do Q", packed=True),
            image,
        ]
    )


def graphics_pdf() -> bytes:
    """Return a page with a JPEG 2000 image, a mask, a shading and a field."""
    width, height = SIZE
    size = b"/Type/XObject/Subtype/Image/Width %d/Height %d" % (width, height)
    resources = (
        b"<</XObject<</I 5 0 R/J 6 0 R>>/Shading<</S 7 0 R>>/ExtGState<</G<</ca 0.5/BM/Multiply>>>>"
        b"/Font<</F<</Type/Font/Subtype/TrueType/BaseFont/Arial>>>>>>"
    )
    return one_page(
        b"/G gs /S sh q 30 0 0 24 0 0 cm /I Do Q q 30 0 0 24 30 0 cm /J Do Q " + TEXT,
        resources=resources,
        more=b"/Annots[8 0 R]/Rotate 180/CropBox[0 0 59 24]",
        catalog=b"/AcroForm<</Fields[8 0 R]/NeedAppearances true/DA(/F 9 Tf)>>",
        objects=[
            stream(saved(picture(), "JPEG2000"), size + b"/Filter/JPXDecode"),
            stream(
                picture("1").tobytes(),
                size + b"/ImageMask true/BitsPerComponent 1/Decode[1 0]",
                packed=True,
            ),
            b"<</ShadingType 2/ColorSpace/DeviceRGB/Coords[0 0 60 24]/Function 9 0 R>>",
            b"<</Type/Annot/Subtype/Widget/FT/Tx/T(t)/V(34)/Rect[2 2 58 12]/DA(/F 9 Tf 0 g)/F 4>>",
            b"<</FunctionType 2/Domain[0 1]/C0[1 1 0]/C1[0 1 1]/N 1>>",
        ],
    )


SEEDS: Mapping[str, Callable[[], bytes]] = {
    "png": lambda: saved(picture(), "PNG"),
    "png-palette": lambda: saved(picture("P"), "PNG", transparency=0),
    "png-bits": lambda: saved(picture("1"), "PNG"),
    "png-deep": lambda: saved(picture("I;16"), "PNG"),
    "png-alpha": lambda: saved(picture("RGBA"), "PNG", dpi=(72, 72)),
    "png-animated": lambda: frames("PNG"),
    "jpeg": lambda: saved(picture(), "JPEG"),
    "jpeg-progressive": lambda: saved(picture(), "JPEG", progressive=True, quality=30),
    "jpeg-grey": lambda: saved(picture("L"), "JPEG", restart_marker_blocks=2),
    "jpeg-cmyk": lambda: saved(picture("CMYK"), "JPEG"),
    "jpeg-turned": lambda: saved(picture(), "JPEG", exif=turned()),
    "mpo": lambda: frames("MPO"),
    "webp": lambda: saved(picture(), "WEBP"),
    "webp-lossless": lambda: saved(picture("RGBA"), "WEBP", lossless=True),
    "webp-alpha": lambda: saved(picture("RGBA"), "WEBP", exif=turned()),
    "webp-animated": lambda: frames("WEBP"),
    "avif": lambda: saved(picture(), "AVIF"),
    "avif-alpha": lambda: saved(picture("RGBA"), "AVIF", exif=turned()),
    "gif": lambda: saved(picture("P"), "GIF"),
    "gif-animated": lambda: frames("GIF", disposal=2, duration=20),
    "bmp": lambda: saved(picture(), "BMP"),
    "bmp-palette": lambda: saved(picture("P"), "BMP"),
    "bmp-bits": lambda: saved(picture("1"), "BMP"),
    "tiff": lambda: saved(picture(), "TIFF"),
    "tiff-lzw": lambda: saved(picture(), "TIFF", compression="tiff_lzw"),
    "tiff-deflate": lambda: saved(picture("P"), "TIFF", compression="tiff_adobe_deflate"),
    "tiff-jpeg": lambda: saved(picture(), "TIFF", compression="jpeg"),
    "tiff-fax": lambda: saved(picture("1"), "TIFF", compression="group4"),
    "tiff-deep": lambda: saved(picture("F"), "TIFF"),
    "tiff-big": lambda: saved(picture("L"), "TIFF", big_tiff=True),
    "tiff-pages": lambda: frames("TIFF", compression="packbits"),
    "pdf": short_pdf,
    "pdf-of-images": lambda: frames("PDF", creationDate=None, modDate=None),
    "pdf-graphics": graphics_pdf,
}


def turned() -> Image.Exif:
    """Return EXIF data that tells of a quarter turn and has some texts."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a description"
    exif[0x8769] = {0x9003: "2026:01:01 00:00:00"}
    return exif
