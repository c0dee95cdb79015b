"""Measure the share of lines that a detector finds, by the height of their letters.

`python -m model.training.recall CHARSET FACES` renders pages, whose lines are known, and runs one
pass at the scale that gives their letters a certain height on the detector's map; then all passes,
like the service. A line is found if a box covers four fifths of the rectangle around its ink, and
half of no other line: boxes have a margin that depends on the letters' height.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from model.training.charset_file import read_charset
from model.training.sheets import Boxes, Sheet, SheetSource
from model.vision.detection.detect import Detector
from model.vision.detection.region import whole
from model.vision.inference import Pixels
from model.vision.polygon import Polygon
from model.weights import pick

_SEED = 77
_LETTERS_PX = (20, 28, 40)
_SIZE_PX = (1000, 1300)
_HEIGHTS_PX = (5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 17, 20, 24, 28, 32, 40)
_COVERED, _TOUCHED = 0.8, 0.5  # shares of a line's area


def sheets(source: SheetSource, count: int) -> Iterator[tuple[int, Sheet]]:
    """Yield pages, each with the height of its letters in px."""
    for number in range(count):
        letters_px = _LETTERS_PX[number % len(_LETTERS_PX)]
        yield letters_px, source.render(number, letters_px, _SIZE_PX)


def found(lines: Boxes, polygons: Sequence[Polygon]) -> int:
    """Return the number of lines that have a box of their own."""
    if not polygons or not len(lines):
        return 0
    corners = np.array(polygons)
    boxes = np.concatenate([corners.min(1), corners.max(1)], axis=1)
    low = np.maximum(lines[:, None, :2], boxes[None, :, :2])
    high = np.minimum(lines[:, None, 2:], boxes[None, :, 2:])
    area = (lines[:, 2:] - lines[:, :2]).prod(1)
    covered = np.clip(high - low, 0, None).prod(2) / area[:, None]
    alone = (covered >= _TOUCHED).sum(0) == 1
    return int(((covered >= _COVERED) & alone).any(1).sum())


def detect_at(detector: Detector, pixels: Pixels, scale: float) -> list[Polygon]:
    """Return the boxes of one pass over a page, H x W x 3, at a scale."""
    return detector.detect_at(detector.networks[1], pixels, whole(pixels), scale).boxes


def main() -> None:
    """Measure the detector that the command line names."""
    parser = argparse.ArgumentParser()
    for name in ("charset", "faces"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--detector", default="ppocrv3-det")
    parser.add_argument("--sheets", type=int, default=60)
    options = parser.parse_args()
    detector = Detector(pick(options.detector, "detector"), threads=1)
    charset = set(read_charset(options.charset))
    source = SheetSource(options.faces, charset, seed=_SEED, held_out=False)
    rendered = list(sheets(source, options.sheets))
    lines = sum(len(sheet.boxes) for _, sheet in rendered)
    print(f"{options.detector}: {lines} lines on {len(rendered)} sheets")
    for height_px in _HEIGHTS_PX:
        count = sum(
            found(sheet.boxes, detect_at(detector, sheet.pixels, height_px / letters_px))
            for letters_px, sheet in rendered
        )
        print(f"letters of {height_px:2d} px on the map: {count / lines:.1%} found")
    count = sum(found(sheet.boxes, detector.find_lines(sheet.pixels)) for _, sheet in rendered)
    print(f"as in the service: {count / lines:.1%} found")


if __name__ == "__main__":
    main()
