"""The Chinese documents say what the English ones do: headings, code, names and links agree."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^ *```.*?^ *```$", re.DOTALL | re.MULTILINE)
COMMENT = re.compile(r"(?:^|\s)\s*(?:#|//) .*$", re.MULTILINE)
SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
LONG = 40
WESTERN = re.compile(r"[\u4e00-\u9fff][,;:?!]|[\u4e00-\u9fff]\.(?=\s|$)", re.MULTILINE)


def _chinese(english: str) -> str:
    """Return where the Chinese version of a document is, if it has one."""
    if english == "README.md":
        return "README.zh-CN.md"
    return f"docs/zh/{english.removeprefix('docs/')}" if english.startswith("docs/") else ""


PAGES = ["README.md", *(f"docs/{page.name}" for page in sorted(ROOT.glob("docs/zh/*.md")))]


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _headings(text: str) -> list[tuple[int, str]]:
    """Return the level and the anchor of each heading, the anchor made as on GitHub."""
    found = re.findall(r"^(#+) (.+)$", BLOCK.sub("", text), re.MULTILINE)
    return [
        (len(level), re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-"))
        for level, title in found
    ]


def _levels(text: str) -> list[str]:
    return ["#" * level for level, _ in _headings(text)]


def _code(text: str) -> list[str]:
    """Return the blocks of code without their comments."""
    return [COMMENT.sub("", block.group()).strip() for block in BLOCK.finditer(text)]


def _names(text: str) -> list[str]:
    """Return what is in backticks: settings, parameters, error codes, commands, files."""
    return sorted({" ".join(name.split()) for name in SPAN.findall(BLOCK.sub("", text))})


def _rows(text: str) -> list[str]:
    """Return how many columns each row of the tables has."""
    lines = BLOCK.sub("", text).splitlines()
    return [str(len(re.findall(r"(?<!\\)\|", line)) - 1) for line in lines if line[:1] == "|"]


def _numbers(text: str) -> set[str]:
    """Return the numbers in the prose; megapixels as Chinese counts them, in 10,000 pixels."""
    prose = re.sub(r"\]\([^)]*\)", "]", SPAN.sub("", BLOCK.sub("", text)))
    prose = re.sub(r"(\d+) megapixels", lambda found: f"{found[1]}00", prose)
    return set(re.findall(r"\d[\d,.]*\d|\d", prose))


def _items(text: str) -> list[str]:
    return re.findall(r"^ *(-|\d\.) ", BLOCK.sub("", text), re.MULTILINE)


CHECKS: list[Callable[[str], list[str]]] = [_levels, _code, _names, _rows, _items]


def _links(name: str, text: str) -> Iterator[tuple[str, str | int]]:
    """Yield each link of a document as a file and a heading (its number)."""
    for target, anchor in LINK.findall(BLOCK.sub("", text)):
        file = os.path.normpath(Path(name).parent / target) if target else name
        anchors = [each for _, each in _headings(_text(file))] if anchor else []
        yield file, anchors.index(anchor) if anchor else ""


def _compared_links(name: str, text: str) -> set[tuple[str, str | int]]:
    """Return the links without those between the languages, to Chinese documents as to English."""
    english = {_chinese(page): page for page in PAGES}
    links = {(english.get(file, file), heading) for file, heading in _links(name, text)}
    return links - {("README.md", ""), ("docs/README.md", "")}


@pytest.mark.parametrize("english", PAGES)
def test_chinese_documents_are_as_the_english_ones(english: str) -> None:
    """Levels of headings, code but its comments, names in backticks, tables, lists, numbers."""
    ours, theirs = _text(_chinese(english)), _text(english)
    for check in CHECKS:
        assert check(ours) == check(theirs), check.__name__
    assert _numbers(theirs) - _numbers(ours) == set()


@pytest.mark.parametrize("english", PAGES)
def test_chinese_documents_link_to_the_same_headings(english: str) -> None:
    """To the Chinese version where there is one, but for the link to the English version."""
    chinese = _chinese(english)
    text = _text(chinese)
    assert _compared_links(chinese, text) == _compared_links(english, _text(english))
    english_pages = {file for file, _ in _links(chinese, text)} & set(PAGES)
    assert english_pages <= {"README.md", "docs/README.md"}


def test_a_link_that_differs_would_be_found() -> None:
    """Negative control: to another heading of the same document."""
    text = _text("docs/zh/page.md")
    changed = text.replace("](api.md#错误)", "](api.md#标头)")
    assert changed != text
    links = _compared_links("docs/page.md", _text("docs/page.md"))
    assert _compared_links("docs/zh/page.md", text) == links
    assert _compared_links("docs/zh/page.md", changed) != links


def _not_chinese(text: str) -> list[str]:
    """Return long lines without Chinese, and Chinese words before Western punctuation."""
    prose = re.sub(r"\]\([^)]*\)", "]", SPAN.sub("", BLOCK.sub("", text)))
    long = [line for line in prose.splitlines() if len(line) > LONG and not CHINESE.search(line)]
    return long + WESTERN.findall(prose)


@pytest.mark.parametrize("english", PAGES)
def test_chinese_documents_are_chinese(english: str) -> None:
    """No paragraph is left in English, and punctuation is full-width."""
    assert _not_chinese(_text(_chinese(english))) == []


def test_a_text_that_is_not_chinese_would_be_found() -> None:
    """Negative control: a sentence in English, a comma and a full stop."""
    assert len(_not_chinese("The service reads images and documents in English.\n")) == 1
    assert len(_not_chinese("识别图像,返回文本.\n")) == 2
    assert _not_chinese("识别图像。返回文本。\n") == []


def test_each_language_links_to_the_other() -> None:
    """At the top of README, and in the index of the documents."""
    assert "](README.zh-CN.md)" in "\n".join(_text("README.md").splitlines()[:5])
    assert "](README.md)" in "\n".join(_text("README.zh-CN.md").splitlines()[:5])
    assert "](zh/README.md)" in _text("docs/README.md")
    assert "](../README.md)" in _text("docs/zh/README.md")


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("# A\n\n## B\n", "# 甲\n\n### 乙\n"),
        ("```sh\nls -l # all\n```\n", "```sh\nls -a # 全部\n```\n"),
        ("Set `timeout_s`.\n", "设置 `timeout`。\n"),
        ("| a | b |\n|---|---|\n| c | d |\n", "| 甲 | 乙 |\n|---|---|\n"),
        ("- one\n- two\n", "- 一\n"),
    ],
)
def test_a_difference_would_be_found(english: str, chinese: str) -> None:
    """Negative control: one of the checks fails for each of these; none for the same text."""
    assert [check for check in CHECKS if check(english) != check(chinese)] != []
    assert [check for check in CHECKS if check(english) != check(english)] == []


def test_a_number_that_differs_would_be_found() -> None:
    """Negative control: another size, and megapixels."""
    assert _numbers("It takes 45 MB.") - _numbers("占用 15 MB。") == {"45"}
    assert _numbers("A page has 50 megapixels.") == _numbers("一页有 5000 万像素。")


def test_comments_may_differ() -> None:
    """In shell, Python, TOML and JavaScript; what only looks like a comment may not."""
    english = "```sh\n# first\nls -l  # all\ncat a#b # it\nfetch(url); // x\n```\n"
    chinese = "```sh\n# 首先\nls -l  # 全部\ncat a#b # 它\nfetch(url); // 甲\n```\n"
    assert _code(english) == _code(chinese)
    assert _code(english) != _code(chinese.replace("a#b", "a#c"))
