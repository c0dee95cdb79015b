"""Text in Markdown, escaped so that none of it is markup or HTML; CommonMark 0.31, section 2.4."""

import re

HARD_BREAK = "\\\n"

_MARKUP = re.compile(r"[\\`*_\[\]<>&~|$#]")
# What is markup at the beginning of a line only: bullets, underlines and tables, numbers of lists.
_LINE_START = re.compile(r"[-+](?= |$)|[-=:](?=[-=:|\\ ]*$)|(\d{1,9})[.)](?= |$)", re.ASCII)
_LINK = re.compile(r"\b(https?|ftp|mailto|xmpp|www)(?=[:.])", re.IGNORECASE)  # GFM, section 6.9
_BLANK = re.compile(r"[\x00-\x20\x7f\x85\u2028\u2029]+")


def escaped(text: str) -> str:
    """Return a text, of one line, for the beginning of a line or its inside."""
    safe = escaped_inside(text)
    match = _LINE_START.match(safe)
    if match is None:
        return safe
    return f"{match[1] or ''}\\{safe[match.end() - 1 :]}"


def escaped_inside(text: str) -> str:
    """Return a text, of one line, for what is not the beginning of a line, as a table's cell."""
    one_line = _BLANK.sub(" ", text).strip()
    return _LINK.sub(r"\1\\", _MARKUP.sub(r"\\\g<0>", one_line))
