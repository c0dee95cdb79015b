"""The charset: what we want of what the teacher knows."""

import bz2
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from model.training import charset as charsets
from model.training.charset import common_hanzi, extended, select, traditional_hanzi
from model.training.charset_file import appended_from, read_charset
from model.training.teacher import teacher_charset

pytestmark = pytest.mark.training


def test_everyday_characters_are_in_it(charset: Sequence[str]) -> None:
    """All of GB 2312's first level but one, which the teacher lacks; full-width marks, Latin."""
    everyday = set(common_hanzi())
    assert len(everyday) == 3755
    assert everyday - set(charset) == {"硷"}
    assert {*"Aaéß09~！？，。￥€①國"} <= set(charset)


def test_it_is_in_code_point_order_and_has_no_space(charset: Sequence[str]) -> None:
    """Each character once, rising; the space is a class of its own."""
    assert list(charset) == sorted(set(charset))
    assert not any(character.isspace() for character in charset)


def test_it_is_what_is_wanted_and_known() -> None:
    """In whatever order they come; neither a known Thai letter nor an unknown Latin one."""
    assert select(["国", " ", "ก", "b", "　", "a"]) == ["a", "b", "国"]
    assert "c" not in select("ab")


def test_traditional_forms_differ_from_the_everyday_ones() -> None:
    """They are added to GB 2312's, not counted twice."""
    assert not set(traditional_hanzi()) & set(common_hanzi())
    assert {*"國學體"} <= set(traditional_hanzi())


@pytest.fixture
def _unihan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three characters of Unihan: two of the general table, one of Big Five's second level."""
    rows = "# comment\nU+4E00\tkTGH\t2013:1\nU+9FCD\tkTGH\t2013:9\nU+4E42\tkBigFive\tC940\n"
    path = tmp_path / "Unihan.txt.bz2"
    path.write_bytes(bz2.compress(rows.encode()))
    monkeypatch.setattr(charsets, "_MAPPINGS", path)


@pytest.mark.usefixtures("_unihan")
def test_new_characters_are_appended_in_order(charset: Sequence[str]) -> None:
    """The classes of the selected ones keep their places; none is there twice."""
    every = extended(charset)
    assert every[: len(charset)] == list(charset)
    assert appended_from(every) == len(charset)
    appended = every[len(charset) :]
    assert appended == sorted(set(appended) - set(charset))
    assert {"\u9fcd", "☑", "₂", "硷"} <= set(appended)
    assert not {"一", "\u4e42"} & set(appended)


@pytest.mark.usefixtures("_unihan")
def test_the_file_reads_back(
    teacher_path: Path,
    charset: Sequence[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What the command writes is what training reads; how many the teacher lacks is printed."""
    out = tmp_path / "charset.txt"
    monkeypatch.setattr(sys, "argv", ["charset", str(teacher_path), str(out)])
    charsets.main()
    written = read_charset(out)
    assert written == extended(charset)
    assert f"{len(written)} characters; the teacher lacks " in capsys.readouterr().out


def test_the_teachers_characters_end_with_the_space(teacher_path: Path) -> None:
    """That is the order of its classes, from class 1."""
    known = teacher_charset(teacher_path)
    assert known[-1] == " "
    assert len(known) == 18_709
