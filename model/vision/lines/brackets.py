"""Make the two brackets of a pair equally wide: both full-width or both not.

Narrow print has brackets that look the same in both widths, and the recogniser chooses the width of
each by itself.
"""

from model.vision.lines.characters import is_hanzi

_WIDE = {"(": "（", ")": "）", "[": "［", "]": "］", "{": "｛", "}": "｝"}  # noqa: RUF001 - the full-width ones
_NARROW = {wide: narrow for narrow, wide in _WIDE.items()}
_CLOSING = {"(": ")", "[": "]", "{": "}"}


def equally_wide(text: str) -> str:
    """Return the text with the brackets of each pair equally wide.

    A pair of two widths becomes full-width if a Chinese character is in it or beside it.
    """
    characters = list(text)
    for first, last in _pairs(text):
        if (text[first] in _NARROW) == (text[last] in _NARROW):
            continue
        around = text[max(0, first - 1) : last + 2]
        wide = any(is_hanzi(character) for character in around)
        for index in (first, last):
            narrow = _NARROW.get(text[index], text[index])
            characters[index] = _WIDE[narrow] if wide else narrow
    return "".join(characters)


def _pairs(text: str) -> list[tuple[int, int]]:
    """Return the places of the brackets of each pair, whatever their widths."""
    opened: list[int] = []
    pairs = []
    for index, character in enumerate(text):
        narrow = _NARROW.get(character, character)
        if narrow in _CLOSING:
            opened.append(index)
        elif narrow in _WIDE:
            while opened:
                first = opened.pop()
                if _CLOSING[_NARROW.get(text[first], text[first])] == narrow:
                    pairs.append((first, index))
                    break
    return pairs
