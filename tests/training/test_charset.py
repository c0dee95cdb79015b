"""The charset: what we want of what the teacher knows."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from model.training import charset as charsets
from model.training.charset import common_hanzi, select, traditional_hanzi
from model.training.shards import read_charset
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


def test_the_file_reads_back(
    teacher_path: Path,
    charset: Sequence[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What the command writes is what training reads; what the teacher lacks is named."""
    out = tmp_path / "charset.txt"
    monkeypatch.setattr(sys, "argv", ["charset", str(teacher_path), str(out)])
    charsets.main()
    assert read_charset(out) == list(charset)
    assert f"{len(charset)} characters" in capsys.readouterr().out


def test_the_teachers_characters_end_with_the_space(teacher_path: Path) -> None:
    """That is the order of its classes, from class 1."""
    known = teacher_charset(teacher_path)
    assert known[-1] == " "
    assert len(known) == 18_709
