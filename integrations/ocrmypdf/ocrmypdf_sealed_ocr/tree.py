"""A page as the service describes it, as the tree that OCRmyPDF writes into the PDF."""

from collections.abc import Iterator, Sequence
from math import atan2, degrees, hypot, radians, tan
from typing import Any

from ocrmypdf.models.ocr_element import Baseline, BoundingBox, OcrClass, OcrElement

Point = Sequence[float]
DESCENT = 0.2  # of a line's height: how far letters reach below the baseline


def page_tree(page: dict[str, Any], dpi: float, number: int) -> OcrElement:
    """Return the tree of a page: its blocks as paragraphs, in reading order."""
    lines = page["lines"]
    paragraphs = []
    for block in page["blocks"]:
        children = [_line(lines[index]) for index in block["lines"] if lines[index]["text"]]
        if children:
            box = _around([point for index in block["lines"] for point in lines[index]["polygon"]])
            paragraphs.append(OcrElement(OcrClass.PARAGRAPH, bbox=box, children=children))
    return OcrElement(
        OcrClass.PAGE,
        bbox=BoundingBox(0, 0, page["width"], page["height"]),
        dpi=dpi,
        page_number=number,
        children=paragraphs,
    )


def _line(line: dict[str, Any]) -> OcrElement:
    polygon = line["polygon"]
    (left, top), (right, level), _, (bottom_left, bottom) = polygon
    clockwise = degrees(atan2(level - top, right - left))
    turned = round(clockwise / 90) * 90
    box, baseline = _around(polygon), None  # of a turned line OCRmyPDF finds the baseline itself
    if turned == 0:
        # The size of the letters is the height of the box: that of a leaning line is as high as
        # the line is at its left end.
        height = hypot(bottom_left - left, bottom - top)
        box = BoundingBox(box.left, bottom - height, box.right, bottom)
        baseline = Baseline(tan(radians(clockwise)), -DESCENT * height)
    return OcrElement(
        OcrClass.LINE,
        bbox=box,
        confidence=line["confidence"],
        baseline=baseline,
        textangle=-turned,
        children=list(_words(line)),
    )


def _words(line: dict[str, Any]) -> Iterator[OcrElement]:
    """Yield what stands between spaces: OCRmyPDF puts a space after each word.

    The service's words are smaller: each Chinese character is one.
    """
    rest: list[dict[str, Any]] = list(line["words"])
    for text in line["text"].split():
        parts, missing = [], len(text)
        while missing > 0 and rest:
            parts.append(rest.pop(0))
            missing -= len(parts[-1]["text"])
        if parts:
            yield OcrElement(
                OcrClass.WORD,
                bbox=_around([point for part in parts for point in part["polygon"]]),
                text=text,
                confidence=min(part["confidence"] for part in parts),
            )


def _around(points: Sequence[Point]) -> BoundingBox:
    across, down = zip(*points, strict=True)
    return BoundingBox(min(across), min(down), max(across), max(down))
