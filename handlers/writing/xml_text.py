"""Text in XML, and its language."""

import re

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_FORBIDDEN = (*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0xFFFE, 0xFFFF)
_XML = {
    **dict.fromkeys(_FORBIDDEN, _REPLACEMENT),
    **str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}),
}
_HAN = "[\u2e80-\u2fdf\u3005-\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
_LATIN = "[A-Za-z]"


def xml_text(text: str) -> str:
    """Return text for an element or a quoted attribute.

    What XML 1.0 forbids, section 2.2, is replaced: a document with it cannot be parsed.
    """
    return text.translate(_XML)


def language_of(text: str) -> str | None:
    """Return "zh" for text with Chinese characters, "en" with Latin letters; else None.

    These are the languages that are read.
    """
    if re.search(_HAN, text):  # compiled when it is needed first: that takes milliseconds
        return "zh"
    return "en" if re.search(_LATIN, text) else None
