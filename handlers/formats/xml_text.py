"""Text in XML, and its language."""

import html
import re

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_HAN = re.compile("[\u2e80-\u2fdf\u3005-\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_LATIN = re.compile("[A-Za-z]")


def xml_text(text: str) -> str:
    """Return text for an element or a quoted attribute.

    What XML 1.0 forbids, section 2.2, is replaced: a document with it cannot be parsed.
    """
    return html.escape(_FORBIDDEN.sub(_REPLACEMENT, text))


def language_of(text: str) -> str | None:
    """Return "zh" for text with Chinese characters, "en" with Latin letters; else None.

    These are the languages that are read.
    """
    if _HAN.search(text):
        return "zh"
    return "en" if _LATIN.search(text) else None
