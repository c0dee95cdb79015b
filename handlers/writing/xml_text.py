"""Text in XML."""

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_FORBIDDEN = (*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0xFFFE, 0xFFFF)
_XML = {
    **dict.fromkeys(_FORBIDDEN, _REPLACEMENT),
    **str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}),
}


def xml_text(text: str) -> str:
    """Return text for an element or a quoted attribute.

    What XML 1.0 forbids, section 2.2, is replaced: a document with it cannot be parsed.
    """
    return text.translate(_XML)
