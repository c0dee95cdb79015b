"""What the first bytes of an upload say it is; names and media types do not matter."""

_IMAGES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_AVIF = (b"avif", b"avis")
_BRANDS = slice(8, 64)  # of the ftyp box (ISO/IEC 14496-12)
HEAD_BYTES = 1024  # in which PDFium, like other readers, looks for a header


def is_image(head: bytes) -> bool:
    """Return whether the first bytes are those of a supported image type."""
    return (
        head.startswith(_IMAGES)
        or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")
        or (head[4:8] == b"ftyp" and any(brand in head[_BRANDS] for brand in _AVIF))
    )


def is_pdf(head: bytes) -> bool:
    """Return whether it is a PDF: there is a PDF header, and an image's signature is not before."""
    return b"%PDF-" in head[:HEAD_BYTES] and not is_image(head)
