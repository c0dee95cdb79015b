"""The tree of a page; real pages through a service: tests/integrations."""

from typing import Any

from ocrmypdf_sealed_ocr.tree import page_tree


def _box(left: int, top: int, right: int, bottom: int) -> list[list[int]]:
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def _page(polygon: list[list[int]], text: str, words: list[str]) -> dict[str, Any]:
    placed = [
        {"text": word, "polygon": _box(10 * n, 0, 10 * n + 9, 20), "confidence": 0.9 - n / 10}
        for n, word in enumerate(words)
    ]
    line = {"text": text, "polygon": polygon, "confidence": 0.9, "words": placed}
    doubtful = {"text": None, "polygon": polygon, "confidence": 0.1, "words": []}
    blocks = [{"lines": [0, 1]}, {"lines": [2]}]
    return {"width": 400, "height": 300, "lines": [line, doubtful, doubtful], "blocks": blocks}


def test_words_are_what_stands_between_spaces() -> None:
    """The characters of a Chinese word are one, around all of their boxes."""
    page = _page(
        _box(0, 0, 90, 20),
        "\u7532\u65b9\uff1a ACME 4,500",
        ["\u7532", "\u65b9", "\uff1a", "ACME", "4,500"],
    )
    tree = page_tree(page, 300.0, 2)
    assert [word.text for word in tree.words] == ["\u7532\u65b9\uff1a", "ACME", "4,500"]
    first = tree.words[0]
    assert first.bbox is not None
    assert (first.bbox.left, first.bbox.right) == (0, 29)
    assert first.confidence == 0.7
    assert (tree.dpi, tree.page_number) == (300.0, 2)


def test_lines_below_the_confidence_are_left_out() -> None:
    """A block of nothing else, too."""
    tree = page_tree(_page(_box(0, 0, 90, 20), "a", ["a"]), 72.0, 0)
    assert len(tree.lines) == len(tree.paragraphs) == 1


def test_the_angle_of_a_line() -> None:
    """By the direction in which it is read: clockwise from the top left corner of its text."""
    upright, left, right, top, bottom = 90, 0, 90, 0, 20
    corners = _box(left, top, right, bottom)
    for turns, angle in ((0, 0), (1, -90), (2, -180), (3, 90)):
        turned = corners
        for _ in range(turns):  # a quarter turn clockwise
            turned = [[-y + upright, x] for x, y in turned]
        [line] = page_tree(_page(turned, "a", ["a"]), 72.0, 0).lines
        assert ((line.textangle or 0) - angle) % 360 == 0
        assert (line.baseline is not None) == (turns == 0)
    leaning = [[0, 0], [100, 10], [98, 30], [-2, 20]]
    [line] = page_tree(_page(leaning, "a", ["a"]), 72.0, 0).lines
    assert line.baseline is not None
    assert round(line.baseline.slope, 2) == 0.10  # downwards to the right, as hOCR has it
    assert line.bbox is not None
    assert round(line.bbox.height) == 20
