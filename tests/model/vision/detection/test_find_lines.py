"""Lines of rendered pages are found whole: bent, skewed, of several sizes, in columns."""

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from model.vision.detection.contrast import stretch
from model.vision.detection.detect import Detector
from model.vision.detection.region import whole
from model.vision.detection.skew import skew_degrees
from model.vision.inference import Blob, Pixels
from model.vision.polygon import Polygon, width_and_height
from model.weights import pick

LINES = 8


@pytest.fixture(scope="module")
def detector() -> Detector:
    """Return the default detector."""
    return Detector(pick("ppocrv3-det", "detector").loaded(), threads=1)


@pytest.fixture(scope="module")
def page() -> Image.Image:
    """Return a page with eight lines."""
    image = Image.new("RGB", (800, 600), "white")
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(22)
    for row in range(LINES):
        text = f"{row}. Signed in  two copies,  one  for  each  party"
        pen.text((60, 60 + 50 * row), text, "black", font)
    return image


@pytest.fixture(scope="module")
def chinese() -> ImageFont.FreeTypeFont:
    """Return a font that has Chinese characters."""
    try:
        return ImageFont.truetype("wqy-zenhei.ttc", 40)
    except OSError:
        pytest.skip("fonts are missing: apt-get install fonts-wqy-zenhei")


def lengths(found: list[Polygon]) -> list[int]:
    """Return the long sides of boxes, in px."""
    return [max(width_and_height(each)) for each in found]


def bent(image: Image.Image, depth_px: float) -> Pixels:
    """Return a page whose lines bend like those of an open book."""
    pixels = np.asarray(image)
    height, width = pixels.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    shift = (depth_px * np.sin(np.pi * x / width)).astype(np.float32)
    return cv2.remap(pixels, x, y - shift, cv2.INTER_LINEAR, borderValue=(255, 255, 255))  # type: ignore[return-value]


def test_bent_lines_are_found_whole(detector: Detector, page: Image.Image) -> None:
    """A rectangle around a bent line is mostly paper."""
    (flat, *_), curved = lengths(detector.find_lines(np.asarray(page))), bent(page, 26)
    found = lengths(detector.find_lines(curved))
    assert len(found) == LINES
    assert min(found) > 0.9 * flat


@pytest.mark.parametrize("degrees", [-40, -25, 25, 35])
def test_lines_of_a_skewed_page_are_found_whole(
    detector: Detector, page: Image.Image, degrees: int
) -> None:
    """Each in one piece, at the angle of the page."""
    flat = lengths(detector.find_lines(np.asarray(page)))
    skewed = page.rotate(-degrees, Image.Resampling.BICUBIC, expand=True, fillcolor="white")
    found = detector.find_lines(np.asarray(skewed))
    assert skew_degrees(found) == pytest.approx(degrees, abs=1)
    assert sorted(lengths(found)) == pytest.approx(sorted(flat), rel=0.1)


def test_a_skewed_page_needs_a_level_pass(
    detector: Detector, page: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: without it, lines fall into pieces."""
    monkeypatch.setattr("model.vision.detection.detect.skew_degrees", lambda _: 0.0)
    skewed = page.rotate(-35, Image.Resampling.BICUBIC, expand=True, fillcolor="white")
    assert len(detector.find_lines(np.asarray(skewed))) > LINES


def test_a_level_page_needs_none(detector: Detector, page: Image.Image) -> None:
    """Neither does one that is tilted by three degrees, or has no line at all."""
    tilted = page.rotate(3, Image.Resampling.BICUBIC, fillcolor="white")
    for image in (page, tilted, page.rotate(90, expand=True)):
        assert skew_degrees(detector.find_lines(np.asarray(image))) == 0
    assert skew_degrees([]) == 0


def test_letters_of_two_sizes_are_found(detector: Detector) -> None:
    """A word as high as the poster, and small print."""
    poster = Image.new("RGB", (1400, 700), "white")
    pen = ImageDraw.Draw(poster)
    pen.text((120, 20), "SALE", "black", ImageFont.load_default(420))
    pen.text((450, 600), "until Sunday, 18:00", "black", ImageFont.load_default(28))
    heights = sorted(
        min(width_and_height(each)) for each in detector.find_lines(np.asarray(poster))
    )
    assert len(heights) == 2
    assert heights[0] < 60
    assert heights[1] > 250


def test_large_columns_stay_whole(detector: Detector, chinese: ImageFont.FreeTypeFont) -> None:
    """Each is one line; their letters are as high as those of a headline."""
    image = Image.new("RGB", (330, 315), "white")
    pen = ImageDraw.Draw(image)
    for column, text in enumerate(("床前明月光", "疑是地上霜", "举头望明月", "低头思故乡")):
        for row, character in enumerate(text):
            pen.text((45 + 66 * column, 36 + 50 * row), character, "black", chinese)
    found = detector.find_lines(np.asarray(image))
    assert sum(length > 200 for length in lengths(found)) == 4


def test_strokes_alone_in_cells_are_found(
    detector: Detector, chinese: ImageFont.FreeTypeFont
) -> None:
    """Letters as large as theirs are searched once more, at a smaller scale."""
    image = Image.new("RGB", (520, 420), "white")
    pen = ImageDraw.Draw(image)
    for row, text in enumerate("一二三十口"):
        pen.text((60, 20 + 78 * row), text, "black", chinese)
        pen.text((300, 20 + 78 * row), "17"[row % 2], "black", chinese)
    found = detector.find_lines(np.asarray(image))
    rows = sorted(round((float(box[:, 1].mean()) - 40) / 78) for box in found if box[0, 0] < 200)
    assert rows == [0, 1, 2, 3, 4]
    first = min((box for box in found if box[0, 0] < 200), key=lambda box: box[0, 1])
    assert min(width_and_height(first)) > 25


@pytest.mark.parametrize("stretched", [True, False])
def test_pale_lines_are_found(
    detector: Detector, monkeypatch: pytest.MonkeyPatch, *, stretched: bool
) -> None:
    """Small ones on uneven paper: their contrast is stretched. Control: without it they are not."""
    if not stretched:
        monkeypatch.setattr("model.vision.detection.detect.stretch", lambda pixels: pixels)
    image = Image.new("L", (800, 600), "black")
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(11)
    for row in range(LINES):
        pen.text((60, 60 + 25 * row), f"{row}. Signed in two copies, one each", "white", font)
    ink = cv2.GaussianBlur(np.asarray(image), (0, 0), 0.8) / 12
    grain = np.random.default_rng(1).normal(0, 2, ink.shape)
    pale = np.repeat((225 - ink - np.linspace(0, 20, 800) + grain)[:, :, None], 3, axis=2)
    found = lengths(detector.find_lines(pale.astype(np.uint8)))
    assert (sum(length > 150 for length in found) >= LINES - 1) is stretched


def test_only_pale_pages_are_stretched() -> None:
    """Neither a page of full contrast nor the noise of a blank one."""
    page = np.full((80, 80, 3), 200, np.uint8)
    assert stretch(page) is page
    page[20:40] = 195
    assert stretch(page) is page
    page[20:40] = 60
    assert stretch(page) is page
    page[20:40] = 150
    assert (stretch(page).min(), stretch(page).max()) == (0, 255)


def test_the_map_of_a_skewed_page_is_bounded(
    detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As that of a level one: a rotated page has longer sides."""
    sides: list[int] = []
    line = np.array([[0, 0], [400, 280], [380, 310], [-20, 30]], np.float32)

    def run(blob: Blob) -> Blob:
        sides.extend(blob.shape[2:])
        return np.zeros((1, 1, *blob.shape[2:]), np.float32)

    monkeypatch.setattr(detector.networks[1], "run", run)
    pixels = np.zeros((2600, 2600, 3), np.uint8)
    detector._find_skewed(detector.networks[1], pixels, whole(pixels), 0.75, [line])
    assert sides
    assert max(sides) <= 2016
