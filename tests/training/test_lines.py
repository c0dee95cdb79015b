"""Rendered lines: faces, degradations, widths."""

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from model.training import degrade, render
from model.training.fonts import Faces, covered
from model.training.lines import HEIGHT_PX, WIDTHS_PX, LineSource, as_input, fit

pytestmark = pytest.mark.training

DEGRADATIONS = sorted(
    {degradation for degradation, _ in (*degrade.TRAINING, *degrade.HELD_OUT)},
    key=lambda f: f.__name__,
)


def test_the_same_number_gives_the_same_line(source: LineSource) -> None:
    """Whatever was rendered before; another number gives another line."""
    first = source.render(5)
    other = source.render(6)
    again = source.render(5)
    assert (again.text, again.image.tolist()) == (first.text, first.image.tolist())
    assert other.text != first.text


def test_another_seed_gives_other_lines(
    source: LineSource, listing: Path, charset: Sequence[str]
) -> None:
    """And the held-out sets have lines of their own."""
    reseeded = LineSource(listing, set(charset), seed=2, held_out=False)
    held_out = LineSource(listing, set(charset), seed=1, held_out=True)
    texts = [
        [each.render(number).text for number in range(4)] for each in (source, reseeded, held_out)
    ]
    assert len({tuple(each) for each in texts}) == 3


def test_a_rendered_line_has_one_of_the_widths(source: LineSource) -> None:
    """At the network's height, with three channels, and not blank."""
    for number in range(40):
        image = source.render(number).image
        assert image.shape in {(HEIGHT_PX, width, 3) for width in WIDTHS_PX}
        assert image.dtype == np.uint8
        assert image.std() > 2


@pytest.mark.parametrize("width", [1, 30, 63, 64, 70, 333, 800, 4000])
@pytest.mark.parametrize("height", [20, 48, 96])
def test_fit_gives_one_of_the_widths(height: int, width: int) -> None:
    """Whatever the line's size; a wide one is stretched only a little."""
    image = np.zeros((height, round(width * height / 48) or 1, 3), np.uint8)
    found = fit(image).shape
    assert found[0] == HEIGHT_PX
    assert found[1] in WIDTHS_PX
    if 64 <= width <= WIDTHS_PX[-1]:
        assert abs(found[1] / width - 1) < 0.15


def test_a_narrow_line_is_padded_with_mid_grey() -> None:
    """Like in the service; a wide line is not padded."""
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
    """Every face has all of the text; Latin text is rendered with several."""
    faces = Faces(listing, held_out=False)
    picked = {faces.pick(random.Random(seed), "国永").path for seed in range(30)}
    assert len(picked) == 1
    assert len({faces.pick(random.Random(seed), "Total").path for seed in range(60)}) > 1
    for seed in range(30):
        face = faces.pick(random.Random(seed), "ŵ")
        assert ord("ŵ") in covered(face.path, face.index)
    with pytest.raises(LookupError):
        faces.pick(random.Random(1), "a\U000e0000")


def test_a_text_that_no_face_has_is_replaced(listing: Path) -> None:
    """A line's text is one that a face has."""
    latin = {*"abcdefghijklmnopqrstuvwxyz"}
    line = LineSource(listing, latin, seed=1, held_out=False).render(1, "english")
    assert set(line.text) <= latin | {" "}


def test_ink_differs_from_paper(listing: Path) -> None:
    """Enough to be legible, in whatever colours."""
    faces = Faces(listing, held_out=False)
    for seed in range(40):
        image = render.render_line(random.Random(seed), "Sealed 5", faces)
        assert image.dtype == np.float32
        grey = image @ np.array([0.3, 0.59, 0.11])
        assert grey.max() - grey.min() > 40


@pytest.mark.parametrize("degradation", DEGRADATIONS, ids=lambda degradation: degradation.__name__)
def test_a_degradation_changes_an_image_and_keeps_its_height(
    degradation: degrade.Degradation, listing: Path
) -> None:
    """The same seed gives the same image, and all values are finite."""
    image = render.render_line(random.Random(8), "Sealed 5", Faces(listing, held_out=False))
    image = np.clip(image, 0, 255)
    results = [degradation(random.Random(seed), image.copy()) for seed in (1, 1, 2, 3)]
    for degraded in results:
        assert degraded.shape[0] == image.shape[0]
        assert degraded.shape[2] == 3
        assert np.isfinite(degraded).all()
    assert np.array_equal(results[0], results[1])
    assert any(
        degraded.shape != image.shape or not np.array_equal(degraded, image) for degraded in results
    )


def test_some_degradations_are_held_out() -> None:
    """They are only used in the held-out sets."""
    trained, held_out = (
        {degradation for degradation, _ in each} for each in (degrade.TRAINING, degrade.HELD_OUT)
    )
    assert held_out - trained == {degrade.median, degrade.pepper, degrade.webp}
