"""The sizes at which a page is looked at."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from model.vision.detect import Detector
from model.vision.inference import Blob
from model.vision.scale import border, first_scale, map_size, next_scale
from model.weights import pick

SIDES = st.integers(1, 70_000)


@given(SIDES, SIDES, st.lists(st.floats(1, 70_000)))
def test_the_network_never_gets_more_than_it_may(
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
    """A strip is given paper around it on its long sides, a page none."""
    assert tuple(side > 0 for side in border(height, width)) == bordered


def test_small_images_keep_letters_the_network_knows() -> None:
    """An image of a line or two is enlarged three times at most; unbounded, it fell into pieces."""
    height, width = map_size(80, 200, first_scale(80, 200))
    assert height <= 3 * 80 + 32
    assert width <= 3 * 200 + 32


def test_good_sizes_are_left_alone() -> None:
    """Letters of about 15 px on the map need no second look."""
    assert next_scale(1000, 1000, 0.5, [38.0] * 9) is None


def test_small_letters_are_looked_at_enlarged() -> None:
    """Where a fifth of the boxes are low, however high the others are, the page is enlarged."""
    scale = next_scale(1000, 1000, 0.5, [200.0] * 7 + [26.0] * 3)
    assert scale is not None
    assert 0.8 < scale < 1.5


def test_large_letters_are_looked_at_reduced() -> None:
    """Letters that fill the map are broken up by the network."""
    scale = next_scale(1000, 1000, 0.5, [200.0] * 9)
    assert scale is not None
    assert scale < 0.15


def test_nothing_found_is_looked_for_once_more() -> None:
    """The letters may have been too small for the first look; there is no third."""
    full = 736 / 1500
    assert next_scale(2000, 1500, first_scale(2000, 1500), []) == pytest.approx(full)
    assert next_scale(2000, 1500, full, []) is None


@pytest.fixture(scope="module")
def detector() -> Detector:
    """Return the shipped detector."""
    return Detector(pick("ppocrv3-det", "detector").loaded(), threads=1)


def sheet(letters_px: int, *, lines: int = 30, pitch_px: int = 70) -> Image.Image:
    """Draw lines of letters of a size on a large page, from its upper left corner on."""
    page = Image.new("RGB", (1600, 2200), "white")
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(letters_px)
    for row in range(lines):
        pen.text((90, 60 + row * pitch_px), f"Invoice no. {row} of many", "black", font)
    return page


def slip() -> Image.Image:
    """Draw eight lines in a corner of what a scanner sees."""
    return sheet(14, lines=8, pitch_px=30)


@pytest.mark.parametrize("letters_px", [14, 20, 30, 44])
def test_lines_are_found_whatever_their_size(detector: Detector, letters_px: int) -> None:
    """Of thirty lines, thirty."""
    assert len(detector.find_lines(np.asarray(sheet(letters_px)))) == 30


def test_one_look_would_not_do(detector: Detector, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: of small letters the first look alone does not find all lines."""
    monkeypatch.setattr("model.vision.detect._LOOKS", 1)
    assert len(detector.find_lines(np.asarray(sheet(14)))) < 30


def test_another_look_spares_what_is_blank(
    detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slip on a scanner's glass is looked at by itself, enlarged as its letters want it."""
    network = detector.networks[1]
    maps: list[int] = []

    def run(blob: Blob) -> Blob:
        maps.append(blob[0, 0].size)
        return plain(blob)

    plain = network.run
    monkeypatch.setattr(network, "run", run)
    assert len(detector.find_lines(np.asarray(slip()))) == 8
    first, *others = maps
    assert others
    assert sum(others) < first


@pytest.mark.parametrize("careful", [True, False])
def test_small_print_far_off_is_not_lost(
    detector: Detector, monkeypatch: pytest.MonkeyPatch, *, careful: bool
) -> None:
    """What the first look only suspected is looked at, too; the control trusts sure boxes."""
    if not careful:
        monkeypatch.setattr("model.vision.detect._FAINT", 0.95)
    page, font = slip(), ImageFont.load_default(9)
    ImageDraw.Draw(page).text((700, 2100), "p. 1 of 2, overleaf", "black", font)
    assert len(detector.find_lines(np.asarray(page))) == (9 if careful else 8)
