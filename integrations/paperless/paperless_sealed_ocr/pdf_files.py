"""What paperless-ngx wants to know of a PDF, and pictures of pages."""

from pathlib import Path

import pikepdf
import pypdfium2
from PIL import Image, ImageOps

THUMBNAIL_WIDTH = 500
PDF = "application/pdf"
Entry = dict[str, str]


def text_of(document: bytes) -> str:
    """Return the text of a searchable PDF, as the service wrote it."""
    with pypdfium2.PdfDocument(document) as pdf:
        texts = []
        for page in pdf:
            layer = page.get_textpage()
            texts.append(layer.get_text_bounded().replace("\r\n", "\n"))
            layer.close()
            page.close()
    return "\n\n".join(texts)


def page_count(path: Path) -> int | None:
    """Return how many pages a PDF has; None if it cannot be opened."""
    try:
        with pikepdf.open(path) as pdf:
            return len(pdf.pages)
    except (OSError, pikepdf.PdfError):
        return None


def metadata(path: Path) -> list[Entry]:
    """Return the XMP and document information of a PDF; none if it cannot be opened."""
    try:
        with pikepdf.open(path) as pdf, pdf.open_metadata() as found:
            return [_entry(name, str(value)) for name, value in found.items()]
    except (OSError, ValueError, pikepdf.PdfError):
        return []


def _entry(name: str, value: str) -> Entry:
    """Return an entry of a name such as {http://ns.adobe.com/pdf/1.3/}Producer."""
    namespace, _, key = name.removeprefix("{").rpartition("}")
    prefix = pikepdf.models.PdfMetadata.REVERSE_NS.get(namespace, "")
    return {"namespace": namespace, "prefix": prefix, "key": key, "value": value}


def thumbnail(path: Path, mime_type: str, target: Path) -> Path:
    """Write the first page as a WebP of THUMBNAIL_WIDTH."""
    if mime_type == PDF:
        with pypdfium2.PdfDocument(path) as pdf:
            page = pdf[0]
            scale = THUMBNAIL_WIDTH / max(1.0, page.get_width())
            image = page.render(scale=scale).to_pil()
            page.close()
    else:
        with Image.open(path) as opened:
            image = ImageOps.exif_transpose(opened).convert("RGB")
    image.thumbnail((THUMBNAIL_WIDTH, THUMBNAIL_WIDTH * 3))
    image.save(target, "WEBP")
    return target
