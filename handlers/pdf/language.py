"""The language of a text, for programs that read a PDF aloud."""

# Han: CJK Unified Ideographs and Extension A, compatibility ideographs, the planes 2 and 3.
_HAN = ((0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))
_CHINESE_FROM = 0.1  # of the letters: a Chinese voice reads English words, not the other way round


class Languages:
    """The language of a document of which the texts are added one after the other."""

    def __init__(self) -> None:
        self._letters = 0
        self._han = 0

    def add(self, text: str) -> None:
        """Count the letters of a text."""
        letters = [character for character in text if character.isalpha()]
        self._letters += len(letters)
        self._han += sum(map(_is_han, letters))

    def most(self) -> str | None:
        """Return "zh" or "en"; None for a text without letters."""
        if not self._letters:
            return None
        return "zh" if self._han >= _CHINESE_FROM * self._letters else "en"


def _is_han(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in _HAN)
