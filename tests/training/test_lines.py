"""Drawn lines: faces, wear, widths."""

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from model.training import degrade, drawing
from model.training.fonts import Faces, covered
from model.training.lines import HEIGHT_PX, WIDTHS_PX, LineSource, as_input, fit

pytestmark = pytest.mark.training

WEARS = sorted(
    {wear for wear, _ in (*degrade.TRAINED, *degrade.HELD_OUT)}, key=lambda f: f.__name__
)


def test_the_same_number_gives_the_same_line(source: LineSource) -> None:
    """Whatever was drawn before it; another number gives another."""
    first = source.draw(5)
    other = source.draw(6)
    again = source.draw(5)
    assert (again.text, again.image.tolist()) == (first.text, first.image.tolist())
    assert other.text != first.text


def test_another_seed_gives_other_lines(
    source: LineSource, listing: Path, charset: Sequence[str]
) -> None:
    """And so do the held-out sets."""
    reseeded = LineSource(listing, set(charset), seed=2, held_out=False)
    held_out = LineSource(listing, set(charset), seed=1, held_out=True)
    texts = [
        [each.draw(number).text for number in range(4)] for each in (source, reseeded, held_out)
    ]
    assert len({tuple(each) for each in texts}) == 3


def test_a_drawn_line_has_one_of_the_widths(source: LineSource) -> None:
    """At the network's height, three channels, and something to see on it."""
    for number in range(40):
        image = source.draw(number).image
        assert image.shape in {(HEIGHT_PX, width, 3) for width in WIDTHS_PX}
        assert image.dtype == np.uint8
        assert image.std() > 2


@pytest.mark.parametrize("width", [1, 30, 63, 64, 70, 333, 800, 4000])
@pytest.mark.parametrize("height", [20, 48, 96])
def test_fit_gives_one_of_the_widths(height: int, width: int) -> None:
    """Whatever the line's size; a wide one is off by little."""
    image = np.zeros((height, round(width * height / 48) or 1, 3), np.uint8)
    found = fit(image).shape
    assert found[0] == HEIGHT_PX
    assert found[1] in WIDTHS_PX
    if 64 <= width <= WIDTHS_PX[-1]:
        assert abs(found[1] / width - 1) < 0.15


def test_a_narrow_line_is_padded_with_mid_grey() -> None:
    """As the service does; one that is wide enough is not."""
    narrow = fit(np.full((48, 40, 3), 7, np.uint8))
    assert (narrow[:, :40] == 7).all()
    assert (narrow[:, 40:] == 128).all()
    assert (fit(np.full((48, 64, 3), 7, np.uint8)) == 7).all()


def test_the_networks_input_is_bgr_between_minus_one_and_one() -> None:
    """The last channel of an image is the first of the input."""
    image = np.zeros((HEIGHT_PX, 64, 3), np.uint8)
    image[..., 0] = 255
    given = as_input([image, image])
    assert given.shape == (2, 3, HEIGHT_PX, 64)
    assert given.dtype == np.float32
    assert (given[:, 2] == 1).all()
    assert (given[:, :2] == -1).all()


def test_a_face_that_lacks_a_character_is_not_used(listing: Path) -> None:
    """Every face that is picked has all of the text; Latin text is drawn with several."""
    faces = Faces(listing, held_out=False)
    picked = {faces.pick(random.Random(seed), "国永").path for seed in range(30)}
    assert len(picked) == 1
    assert len({faces.pick(random.Random(seed), "Total").path for seed in range(60)}) > 1
    for seed in range(30):
        face = faces.pick(random.Random(seed), "ŵ")
        assert ord("ŵ") in covered(face.path, face.index)
    with pytest.raises(LookupError):
        faces.pick(random.Random(1), "a\U000e0000")


def test_a_text_no_face_has_is_drawn_anew(listing: Path) -> None:
    """A line says what it shows: its text is one that some face could draw."""
    latin = {*"abcdefghijklmnopqrstuvwxyz"}
    line = LineSource(listing, latin, seed=1, held_out=False).draw(1, "english")
    assert set(line.text) <= latin | {" "}


def test_ink_differs_from_paper(listing: Path) -> None:
    """Enough to be read, in whatever colours."""
    faces = Faces(listing, held_out=False)
    for seed in range(40):
        drawn = drawing.draw_line(random.Random(seed), "Sealed 5", faces)
        assert drawn.dtype == np.float32
        grey = drawn @ np.array([0.3, 0.59, 0.11])
        assert grey.max() - grey.min() > 40


@pytest.mark.parametrize("wear", WEARS, ids=lambda wear: wear.__name__)
def test_wear_changes_a_drawing_and_keeps_its_height(wear: degrade.Wear, listing: Path) -> None:
    """The same seed wears it the same way; none leaves what is no number."""
    drawn = drawing.draw_line(random.Random(8), "Sealed 5", Faces(listing, held_out=False))
    drawn = np.clip(drawn, 0, 255)
    results = [wear(random.Random(seed), drawn.copy()) for seed in (1, 1, 2, 3)]
    for worn in results:
        assert worn.shape[0] == drawn.shape[0]
        assert worn.shape[2] == 3
        assert np.isfinite(worn).all()
    assert np.array_equal(results[0], results[1])
    assert any(worn.shape != drawn.shape or not np.array_equal(worn, drawn) for worn in results)


def test_some_wear_is_never_trained_on() -> None:
    """It is what the held-out sets are for."""
    trained, held_out = ({wear for wear, _ in each} for each in (degrade.TRAINED, degrade.HELD_OUT))
    assert held_out - trained == {degrade.median, degrade.pepper, degrade.webp}
