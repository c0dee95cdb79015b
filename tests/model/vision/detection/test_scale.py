"""The scales at which the detector reads a page."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from model.vision.detection.detect import Detector
from model.vision.detection.scale import border, first_scale, map_size, next_scale
from model.vision.inference import Blob
from model.weights import pick

SIDES = st.integers(1, 70_000)


@given(SIDES, SIDES, st.lists(st.floats(1, 70_000)))
def test_the_network_s_input_is_bounded(
    height: int, width: int, box_heights: Sequence[float]
) -> None:
    """Sides are multiples of 32 between 32 and 2016 px: time and memory are bounded."""
    scale: float | None = first_scale(height, width)
    for _ in range(3):
        if scale is None:
            break
        for side in map_size(height, width, scale):
            assert side % 32 == 0
            assert 32 <= side <= 2016
        scale = next_scale(height, width, scale, box_heights)


@pytest.mark.parametrize(
    ("height", "width", "bordered"),
    [(800, 600, (False, False)), (20, 900, (True, False)), (900, 20, (False, True))],
)
def test_slim_images_get_a_border(height: int, width: int, bordered: tuple[bool, bool]) -> None:
    """A strip gets one on its long sides, a page none."""
    assert tuple(side > 0 for side in border(height, width)) == bordered


def test_small_images_are_enlarged_three_times_at_most() -> None:
    """With larger letters the network finds parts of lines."""
    height, width = map_size(80, 200, first_scale(80, 200))
    assert height <= 3 * 80 + 32
    assert width <= 3 * 200 + 32


def test_one_pass_is_enough_for_good_sizes() -> None:
    """Letters of about 15 px on the map need no second pass."""
    assert next_scale(1000, 1000, 0.5, [38.0] * 9) is None


def test_small_letters_are_enlarged() -> None:
    """If a fifth of the boxes are low, the page is enlarged, however high the others are."""
    scale = next_scale(1000, 1000, 0.5, [200.0] * 7 + [26.0] * 3)
    assert scale is not None
    assert 0.8 < scale < 1.5


def test_large_letters_are_reduced() -> None:
    """The network would find parts of letters that fill the map."""
    scale = next_scale(1000, 1000, 0.5, [200.0] * 9)
    assert scale is not None
    assert scale < 0.15


def test_if_nothing_is_found_there_is_one_larger_pass() -> None:
    """The letters may have been too small for the first pass; there is no third."""
    full = 736 / 1500
    assert next_scale(2000, 1500, first_scale(2000, 1500), []) == pytest.approx(full)
    assert next_scale(2000, 1500, full, []) is None


@pytest.fixture(scope="module")
def detector() -> Detector:
    """Return the default detector."""
    return Detector(pick("ppocrv3-det", "detector").loaded(), threads=1)


def page_of(letters_px: int, *, lines: int = 30, pitch_px: int = 70) -> Image.Image:
    """Return a large page with lines of letters of this size, from the top left on."""
    page = Image.new("RGB", (1600, 2200), "white")
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(letters_px)
    for row in range(lines):
        pen.text((90, 60 + row * pitch_px), f"Invoice no. {row} of many", "black", font)
    return page


def receipt() -> Image.Image:
    """Return a page with eight lines in a corner, like a receipt on a scanner."""
    return page_of(14, lines=8, pitch_px=30)


@pytest.mark.parametrize("letters_px", [14, 20, 30, 44])
def test_lines_are_found_whatever_their_size(detector: Detector, letters_px: int) -> None:
    """All thirty of them."""
    assert len(detector.find_lines(np.asarray(page_of(letters_px)))) == 30


def test_one_pass_is_not_enough(detector: Detector, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: the first pass does not find all lines of small letters."""
    monkeypatch.setattr("model.vision.detection.detect._MAX_PASSES", 1)
    assert len(detector.find_lines(np.asarray(page_of(14)))) < 30


def test_a_second_pass_leaves_out_the_blank_part(
    detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a receipt on a scanner, only the receipt is enlarged."""
    network = detector.networks[1]
    maps: list[int] = []

    def run(blob: Blob) -> Blob:
        maps.append(blob[0, 0].size)
        return plain(blob)

    plain = network.run
    monkeypatch.setattr(network, "run", run)
    assert len(detector.find_lines(np.asarray(receipt()))) == 8
    first, *others = maps
    assert others
    assert sum(others) < first


@pytest.mark.parametrize("include", [True, False])
def test_small_print_far_from_the_rest_is_found(
    detector: Detector, monkeypatch: pytest.MonkeyPatch, *, include: bool
) -> None:
    """The second pass includes all that may be text. Control: only what certainly is."""
    if not include:
        monkeypatch.setattr("model.vision.detection.detect._MAYBE_TEXT", 0.95)
    page, font = receipt(), ImageFont.load_default(9)
    ImageDraw.Draw(page).text((700, 2100), "p. 1 of 2, overleaf", "black", font)
    assert len(detector.find_lines(np.asarray(page))) == (9 if include else 8)
