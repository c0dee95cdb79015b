"""The language of a text: Chinese or English, which are the ones that are read."""

import re

# Radicals, iteration marks, CJK Unified Ideographs with Extension A, compatibility ideographs, and
# planes 2 and 3. `re` compiles it when it is needed first: that takes milliseconds.
_HAN = "[\u2e80-\u2fdf\u3005-\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
_LATIN = "[A-Za-z]"
_CHINESE_FROM = 0.1  # of the letters: a Chinese voice reads English words, not the other way round


def language_of(line: str) -> str | None:
    """Return "zh" for a line with Chinese characters, "en" with Latin letters; else None."""
    if re.search(_HAN, line):
        return "zh"
    return "en" if re.search(_LATIN, line) else None


class Languages:
    """The language of a document of which the texts are added one after the other.

    Programs that read it aloud choose their voice by it.
    """

    def __init__(self) -> None:
        self._letters = 0
        self._han = 0

    def add(self, text: str) -> None:
        """Count the letters of a text."""
        self._letters += sum(map(str.isalpha, text))
        self._han += len(re.findall(_HAN, text))

    def most(self) -> str | None:
        """Return "zh" or "en"; None for a text without letters."""
        if not self._letters:
            return None
        return "zh" if self._han >= _CHINESE_FROM * self._letters else "en"
