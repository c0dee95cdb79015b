"""The recogniser's charset: characters selected from the teacher's, and appended ones.

`python -m model.training.charset TEACHER OUT` writes it, a character in each line: the teacher's in
code point order, and after them the appended ones in code point order, so that the classes of
older checkpoints keep their places. Appended are all 8,105 characters of China's general table of
standard characters, the 5,401 of Big Five's level 1, characters of given names, and symbols.
Source: Unicode's Unihan database (kTGH, kBigFive), from Debian's package unicode-data.
"""

import bz2
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from opencc import OpenCC

from model.training import phrases
from model.training.teacher import teacher_charset

_LATIN_NAMES = (
    "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿ"
    "ĀāĂăĄąĆćČčĎďĐđĒēĖėĘęĚěĞğĢģĪīĮįİıĶķĹĺĻļĽľŁłŃńŅņŇňŌōŐőŒœŔŕŘřŚśŞşŠšŢţŤťŪūŮůŰűŲųŴŵŶŷŸŹźŻżŽžȘșȚț"
)
_CURRENCY = "$¢£¥€₩₽₹₺₫฿￥￡￠"
_PUNCTUATION = (
    "、。·ˉˇ¨〃々—～‖…‘’“”〔〕〈〉《》「」『』〖〗【】±×÷∶∧∨∑∏∪∩∈∷√⊥∥∠⌒⊙∫∮≡≌≈∽∝≠≮≯≤≥∞∵∴"
    "♂♀°′″℃℉§№☆★○●◎◇◆□■△▲※→←↑↓〓–•†‡©®™«»¡¿¦¬¶¹²³¼½¾‰"
)
_UNITS = "μµΩ㎡㎝㎜㎞㎏㎎㏄ΑΒΓΔΕΘΛΞΠΣΦΨαβγδεζηθλμπρστφχψω"
_NUMERALS = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩⅪⅫ〇㈠㈡㈢㈣㈤"
_FULL_WIDTH = range(0xFF01, 0xFF5F)
# The Chinese characters of GB 2312 are in rows 16 to 87; the first 40 rows are the common ones.
_HANZI_ROWS, _COMMON_ROWS = range(0xB0, 0xF8), range(0xB0, 0xD8)


_MAPPINGS = Path("/usr/share/unicode/Unihan_OtherMappings.txt.bz2")
_BIG_FIVE_LEVEL_1 = range(0xA440, 0xC67F)
_GIVEN_NAMES = "堃喆玥珺赟彧翊旻昇晟烜頔祎珩"
_GB2312_VARIANTS = "馀鲶镟诶飚垅硷齄哜"


def gb2312(rows: Iterable[int]) -> Iterator[str]:
    """Yield the Chinese characters in these rows of GB 2312."""
    for row in rows:
        for cell in range(0xA1, 0xFF):
            try:
                yield bytes([row, cell]).decode("gb2312")
            except UnicodeDecodeError:  # the last common row is not full
                continue


def common_hanzi() -> list[str]:
    """Return GB 2312's 3,755 common characters."""
    return list(gb2312(_COMMON_ROWS))


def traditional_hanzi() -> list[str]:
    """Return the traditional forms of the common characters, if they differ."""
    convert = OpenCC("s2t").convert
    forms = {convert(character) for character in common_hanzi()}
    return sorted(forms - set(common_hanzi()))


def wanted() -> set[str]:
    """Return the characters that the charset should have, known to the teacher or not."""
    ascii_printable = {chr(point) for point in range(0x21, 0x7F)}
    full_width = {chr(point) for point in _FULL_WIDTH}
    marks = set(_LATIN_NAMES + _CURRENCY + _PUNCTUATION + _UNITS + _NUMERALS)
    hanzi = set(gb2312(_HANZI_ROWS)) | set(traditional_hanzi())
    return ascii_printable | full_width | marks | hanzi


def select(known: Iterable[str]) -> list[str]:
    """Return the wanted characters that are known, in code point order, without the space."""
    return sorted(wanted() & {character for character in known if character.strip()})


def general_table() -> list[str]:
    """Return the 8,105 characters of the general table of standard characters."""
    return [character for character, key, _ in _mappings() if key == "kTGH"]


def big_five_level_1() -> list[str]:
    """Return the 5,401 common traditional characters of Big Five."""
    return [
        character
        for character, key, value in _mappings()
        if key == "kBigFive" and int(value, 16) in _BIG_FIVE_LEVEL_1
    ]


def _mappings() -> Iterator[tuple[str, str, str]]:
    with bz2.open(_MAPPINGS, "rt", encoding="utf-8") as file:
        for line in file:
            parts = line.rstrip("\n").split("\t")
            if len(parts) == 3:
                yield chr(int(parts[0].removeprefix("U+"), 16)), parts[1], parts[2]


def extended(selected: Iterable[str]) -> list[str]:
    """Return the selected characters and after them the appended ones."""
    first = list(selected)
    more = {*general_table(), *big_five_level_1()}
    more |= {*_GIVEN_NAMES, *_GB2312_VARIANTS, *phrases.SYMBOLS}
    return [*first, *sorted(more - set(first))]


def main() -> None:
    """Write the charset that the command line names."""
    teacher, out = Path(sys.argv[1]), Path(sys.argv[2])
    known = teacher_charset(teacher)
    charset = extended(select(known))
    out.write_text("\n".join(charset) + "\n", encoding="utf-8")
    unknown = set(charset) - set(known)
    print(f"{len(charset)} characters; the teacher lacks {len(unknown)}")


if __name__ == "__main__":
    main()
