"""The recogniser's charset, selected from the teacher's characters.

`python -m model.training.charset TEACHER OUT` writes it, one character in each line, in code point
order.
"""

import sys
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from opencc import OpenCC

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


def main() -> None:
    """Write the charset that the command line names."""
    teacher, out = Path(sys.argv[1]), Path(sys.argv[2])
    known = teacher_charset(teacher)
    chosen = select(known)
    out.write_text("\n".join(chosen) + "\n", encoding="utf-8")
    missing = sorted(wanted() - set(known))
    # The Chinese ones are not listed.
    names = " ".join(f"{c}({unicodedata.name(c, '?')})" for c in missing if ord(c) < 0x2E80)
    print(f"{len(chosen)} characters; the teacher lacks {len(missing)}: {names}")


if __name__ == "__main__":
    main()
