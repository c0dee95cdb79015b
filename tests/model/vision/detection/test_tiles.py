"""A long page is searched in tiles, and the lines on their seams are found once and whole."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from model.vision.detection.detect import Detector
from model.vision.detection.passes import shared_areas
from model.vision.detection.region import Region
from model.vision.detection.scale import first_scale, map_size, max_scale, tile_length
from model.vision.detection.tiles import join, tiles
from model.vision.inference import Pixels
from model.vision.polygon import Numbers, Polygon, width_and_height
from model.weights import pick

PITCH_PX = 24  # between the lines of a chat
UPPER, LOWER = Region(0, 0, 400, 1000), Region(0, 900, 400, 1900)
LEFT, RIGHT = Region(0, 0, 1000, 400), Region(900, 0, 1900, 400)


def box(left: float, top: float, right: float, bottom: float) -> Polygon:
    """Return an upright box."""
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def same(found: list[Polygon], expected: list[Polygon]) -> bool:
    """Return whether these are the same boxes, in the same order."""
    return [each.tolist() for each in found] == [each.tolist() for each in expected]


@pytest.mark.parametrize(
    ("height", "width", "count"),
    [
        (4000, 3000, 1),
        (600, 3000, 1),
        (60, 9000, 1),
        (15_000, 720, 9),
        (720, 15_000, 9),
        (101, 480_000, 60),
    ],
)
def test_only_long_pages_have_tiles(height: int, width: int, count: int) -> None:
    """A photograph, a receipt and a strip with one line do not; an extreme strip has a few."""
    assert len(tiles(height, width)) == count


@given(st.integers(100, 3000), st.floats(1, 5000))
def test_tiles_cover_a_page(short: int, aspect: float) -> None:
    """They overlap, and each is searched at a scale at which its letters can be read."""
    long = round(short * aspect)
    parts = tiles(long, short)
    assert tiles(short, long) == [Region(*(r[1], r[0], r[3], r[2])) for r in parts]
    assert parts[0].top == 0
    assert parts[-1].bottom == long
    for part, following in pairwise(parts):
        assert part.top < following.top < part.bottom - 0.1 * short
    if len(parts) > 1:
        assert first_scale(parts[0].bottom, short) == min(480 / short, 3.0, 2000 / parts[0].bottom)
        area = sum(np.prod(map_size(p.bottom - p.top, short, 1.0)) for p in parts)
        assert area < 2 * long * short + len(parts) * 64 * (long / len(parts) + short)


def test_a_line_in_both_tiles_is_found_once() -> None:
    """Its box is around both."""
    found = join([box(10, 940, 300, 970)], [box(12, 938, 302, 969)], UPPER, LOWER)
    assert same(found, [box(10, 938, 302, 970)])


def test_a_line_that_a_tile_cuts_off_is_found_whole() -> None:
    """The half of it is left out, whichever tile has it, and reaches into no neighbour."""
    whole, half = box(10, 980, 300, 1010), box(10, 980, 300, 1000)
    assert same(join([half], [whole], UPPER, LOWER), [whole])
    above, below = box(10, 885, 300, 925), box(10, 900, 300, 925)
    assert same(join([above], [below], UPPER, LOWER), [above])


def test_a_line_across_a_seam_is_put_together() -> None:
    """Its parts have the overlap in common."""
    parts = [box(20, 100, 1000, 130)], [box(900, 102, 1700, 131)]
    assert same(join(*parts, LEFT, RIGHT), [box(20, 100, 1700, 131)])


def test_neighbours_stay_apart() -> None:
    """Two lines one below the other, whose boxes touch; a half that is found nowhere else stays."""
    lines = box(10, 930, 300, 965), box(10, 960, 300, 995)
    assert same(join([lines[0]], [lines[1]], UPPER, LOWER), list(lines))
    half = box(10, 980, 300, 1000)
    assert same(join([half], [], UPPER, LOWER), [half])
    assert same(join([], [half], UPPER, LOWER), [half])


@pytest.mark.parametrize("axis", [0, 1])
def test_only_boxes_near_a_seam_are_compared(axis: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the time would be quadratic in a page's length; the others stay as they are."""
    compared: list[tuple[int, int]] = []

    def counted(first: list[Polygon], second: list[Polygon]) -> Numbers:
        compared.append((len(first), len(second)))
        return shared_areas(first, second)

    monkeypatch.setattr("model.vision.detection.tiles.shared_areas", counted)
    spots = [box(10, 10 + 40 * number, 30, 30 + 40 * number) for number in range(45)]
    if not axis:
        spots = [spot[:, ::-1].copy() for spot in spots]
    found, latest = spots[:24], spots[23:]
    parts = (UPPER, LOWER) if axis else (LEFT, RIGHT)
    joined = join(found, latest, *parts)
    assert len(joined) == len(spots)
    assert compared == [(2, 2)]


@pytest.fixture(scope="module")
def detector() -> Detector:
    """Return the default detector."""
    return Detector(pick("ppocrv3-det", "detector").loaded(), threads=1)


@pytest.fixture(scope="module")
def chat() -> tuple[Pixels, int]:
    """Return a screenshot of a long chat, and its number of lines: some on each seam."""
    image = Image.new("RGB", (360, 4800), "white")
    pen, font, lines, top = ImageDraw.Draw(image), ImageFont.load_default(13), 0, 20
    while top < 4760:
        pen.text((20 + 60 * (lines % 3), top), f"{lines}: see you at noon", "black", font)
        lines, top = lines + 1, top + PITCH_PX + lines % 5
    return np.asarray(image), lines


def test_a_long_screenshot_is_found_whole(detector: Detector, chat: tuple[Pixels, int]) -> None:
    """All lines, none twice or cut; `check` is called between the tiles."""
    pixels, lines = chat
    checks: list[int] = []
    found = detector.find_lines(pixels, check=lambda: checks.append(1))
    assert len(found) == lines
    heights = [min(width_and_height(each)) for each in found]
    assert min(heights) > 9
    assert max(heights) < PITCH_PX
    assert len(checks) == len(tiles(*pixels.shape[:2])) - 1


def test_without_tiles_boxes_reach_into_other_lines(
    detector: Detector, chat: tuple[Pixels, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: the whole page is reduced until its letters are 5 px high."""
    monkeypatch.setattr(
        "model.vision.detection.detect.tiles", lambda h, w, _length=None: [Region(0, 0, w, h)]
    )
    heights = [min(width_and_height(each)) for each in detector.find_lines(chat[0])]
    assert np.median(heights) > PITCH_PX


def test_long_lines_of_a_wide_page_are_found_whole(detector: Detector) -> None:
    """Each runs through all tiles, and is one box."""
    image = Image.new("RGB", (2600, 360), "white")
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(24)
    for row in range(4):
        pen.text((20, 30 + 80 * row), f"{row} for each of the two parties, " * 7, "black", font)
    found = detector.find_lines(np.asarray(image))
    assert [max(width_and_height(each)) > 2000 for each in found] == [True] * 4


@pytest.fixture(scope="module")
def capture() -> tuple[Pixels, int]:
    """Return the capture of a page on the web, with low letters for its size, and its lines."""
    image = Image.new("RGB", (1300, 5600), "white")
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(12)
    tops = range(40, 5560, 24)
    for left in (40, 680):
        for top in tops:
            pen.text(
                (left, top), f"{top} the total amount is due within thirty days", "black", font
            )
    return np.asarray(image), 2 * len(tops)


def test_low_letters_of_a_large_page_are_found(
    detector: Detector, capture: tuple[Pixels, int]
) -> None:
    """Though the page is not long: each of its tiles is searched at a scale for them."""
    pixels, lines = capture
    found = detector.find_lines(pixels)
    assert len(found) == lines
    assert max(min(width_and_height(each)) for each in found) < 24


def test_without_smaller_tiles_they_are_not(
    detector: Detector, capture: tuple[Pixels, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: lines are left out, or found in pieces."""
    monkeypatch.setattr("model.vision.detection.detect.tile_length", lambda *_: None)
    pixels, lines = capture
    assert abs(len(detector.find_lines(pixels)) - lines) > 0.2 * lines


@pytest.mark.parametrize(
    ("height", "width", "font_px", "length"),
    [
        (3508, 2480, 25, None),  # 6 points on A4, scanned at 300 pixels an inch
        (7016, 4960, 50, None),
        (3600, 1300, 12, 2000),
        (15_000, 1500, 30, 5000),
        (500, 400, 3, None),  # too low to be letters at any scale
    ],
)
def test_only_low_letters_need_smaller_tiles(
    height: int, width: int, font_px: int, length: int | None
) -> None:
    """Low for the page, which the detector sees at most 2,000 pixels long."""
    scale = max_scale(height, width)
    heights = [7.5 / scale + 0.75 * font_px]
    assert tile_length(height, width, scale, heights) == length
    assert tile_length(height, width, scale, []) is None
