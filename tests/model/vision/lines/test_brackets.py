"""The brackets of a pair are equally wide; nothing else of a text is changed."""

# ruff: noqa: RUF001 - full-width brackets

import pytest

from model.vision.lines.brackets import equally_wide


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        ("Tel（B)", "Tel(B)"),
        ("GST (6%） 1.20", "GST (6%) 1.20"),
        ("Item(s）：5", "Item(s)：5"),
        ("assert total([］）", "assert total([])"),
        ("股东总数（户)", "股东总数（户）"),
        ("数量(kg）不含税", "数量（kg）不含税"),
        ("(大写）壹佰元整", "（大写）壹佰元整"),
    ],
)
def test_two_widths_become_one(read: str, expected: str) -> None:
    """Full-width beside Chinese, narrow elsewhere."""
    assert equally_wide(read) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "f(x)[0]{}",
        "合同（正本）共3页",
        "合同(正本)共3页",
        "1） 概述 (略)",
        "a（b (c",
        "）(",
        "】［",
        ":) 好",
    ],
)
def test_other_texts_stay(text: str) -> None:
    """Guard: pairs of one width, and brackets without a partner."""
    assert equally_wide(text) == text


def test_nested_pairs_have_widths_of_their_own() -> None:
    """An inner pair may be narrow in a full-width one."""
    assert equally_wide("（见 f[x］ 注)") == "（见 f[x] 注）"
    assert equally_wide("（" * 200 + ")" * 200) == "(" * 200 + ")" * 200
