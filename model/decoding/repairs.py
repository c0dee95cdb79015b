"""Repairs of image files that lack nothing of their pixels."""

import zlib

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG, _JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
_ANCILLARY = 0x20  # bit of a chunk type's first letter: a reader may skip it (PNG, section 5.4)
# Ancillary, but a page without them looks different: transparency, rotation, an animation's pixels.
_VISIBLE = (b"tRNS", b"eXIf", b"fdAT")
_LENGTH, _TYPE, _CRC = 4, 4, 4  # bytes of a chunk, besides its data
# Entropy-coded data that a decoder only reads if the file lacks some of its own.
_FILLER = b"\x55\xaa" * 64


def without_damaged_chunks(data: bytes) -> bytes | None:
    """Return a PNG without the ancillary chunks whose CRC is wrong; None if there are none.

    Chunks that change how the page looks are kept.
    """
    if not data.startswith(_PNG):
        return None
    view, position = memoryview(data), len(_PNG)
    kept = [view[:position]]
    while position < len(data):
        length = int.from_bytes(view[position : position + _LENGTH])
        end = position + _LENGTH + _TYPE + length + _CRC
        if end > len(data) or _is_sound(view[position:end]):
            kept.append(view[position:end])
        position = end
    repaired = b"".join(kept)
    return repaired if len(repaired) < len(data) else None


def _is_sound(chunk: memoryview) -> bool:
    """Return whether a chunk is needed, or has the right CRC."""
    body, crc = chunk[_LENGTH:-_CRC], int.from_bytes(chunk[-_CRC:])
    needed = not body[0] & _ANCILLARY or bytes(body[:_TYPE]) in _VISIBLE
    return needed or zlib.crc32(body) == crc


def with_end_marker(data: bytes) -> tuple[bytes, bytes] | None:
    """Return a JPEG with an end marker, and with other data before it; None for another type.

    Both have the same pixels if the file lacks its end marker alone: a decoder reads the other data
    only where the file's own is missing.
    """
    if not data.startswith(_JPEG):
        return None
    return data + _JPEG_END, data + _FILLER + _JPEG_END
