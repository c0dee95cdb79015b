"""The image of a page with its lines: which colours show what, and on which pages."""

import io

import numpy as np
import pytest
from PIL import Image

from model.options import PageImage
from model.vision.inference import Pixels
from model.vision.lines.directions import Direction
from model.vision.lines.line_reading import ReadLine
from model.vision.page_image import encoded
from model.vision.polygon import Polygon

BOX: Polygon = np.array([[20, 20], [180, 20], [180, 60], [20, 60]], np.float32)
SURE, DOUBTFUL, WRONG = 0.95, 0.7, 0.2


def line(confidence: float) -> ReadLine:
    """Return a line in the box."""
    return ReadLine("text", confidence, confidence, BOX, Direction.UPRIGHT)


def drawn(page: Pixels, confidence: float, image: PageImage = PageImage.ANNOTATED_PNG) -> Pixels:
    """Return a page with the outline of one line, RGB."""
    file = encoded(page, [line(confidence)], image, page.shape[1::-1], 90)
    return decoded(file)


def decoded(file: bytes) -> Pixels:
    """Return the pixels of a file, RGB."""
    with Image.open(io.BytesIO(file)) as image:
        return np.asarray(image.convert("RGB"))


def page_of(level: int, side: int = 200) -> Pixels:
    """Return an empty page of one grey level."""
    return np.full((side, side, 3), level, np.uint8)


def contrast(one: Pixels, other: Pixels) -> float:
    """Return the contrast ratio of two colours, as WCAG 2.2 defines it."""
    linear = [np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
              for c in (one / 255, other / 255)]  # fmt: skip
    low, high = sorted(float(each @ (0.2126, 0.7152, 0.0722)) for each in linear)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("level", [0, 255])
@pytest.mark.parametrize("confidence", [SURE, DOUBTFUL, WRONG])
def test_outlines_show_on_white_and_on_black(level: int, confidence: float) -> None:
    """With a contrast of 3 : 1 at least, which WCAG asks of graphics."""
    page = page_of(level)
    outline = drawn(page, confidence)[40, 19]
    assert contrast(outline, page[0, 0]) >= 3


def test_confidence_is_shown() -> None:
    """By the colour, and by the width for those who don't see it."""
    page = page_of(255)
    images = [drawn(page, confidence) for confidence in (SURE, DOUBTFUL, WRONG)]
    assert len({tuple(image[40, 19]) for image in images}) == 3
    sure, doubtful, wrong = ((image != 255).any(axis=2).sum() for image in images)
    assert sure < doubtful == wrong


def test_outlines_are_as_wide_as_the_letters_are_large() -> None:
    """One pixel around small print, several around large print; no outline covers letters."""
    page = page_of(255, 1000)
    low, high = (ReadLine("text", SURE, SURE, BOX * scale, Direction.UPRIGHT) for scale in (1, 5))
    for each, widths in ((low, {1}), (high, {6, 7, 8, 9})):
        file = encoded(page, [each], PageImage.ANNOTATED_PNG, (1000, 1000), 90)
        dark = decoded(file).min(axis=2) < 50
        left, top, right, bottom = (int(side) for side in each.polygon[[0, 2]].ravel())
        assert dark[(top + bottom) // 2, : (left + right) // 2].sum() in widths
        assert not dark[top + 2 : bottom - 2, left + 2 : right - 2].any()


def test_the_page_is_not_drawn_over_unless_asked_for() -> None:
    """Nor are the pixels that were read changed."""
    page = page_of(255)
    assert (drawn(page, WRONG, PageImage.JPEG) == 255).all()
    drawn(page, WRONG)
    assert (page == 255).all()


def test_quality_and_size() -> None:
    """A JPEG of a lower quality is shorter; an image may be smaller than its page."""
    noise: Pixels = np.random.default_rng(0).integers(0, 256, (100, 200, 3), np.uint8)
    low, high = (len(encoded(noise, [], PageImage.JPEG, (200, 100), q)) for q in (20, 95))
    assert low < high / 2
    file = encoded(noise, [], PageImage.ANNOTATED_PNG, (50, 25), 90)
    assert decoded(file).shape == (25, 50, 3)
