"""Rendered lines: faces, effects, degradations, widths."""

import random
from pathlib import Path

import numpy as np
import pytest

from model.training import degrade, print_effects, render, widths
from model.training.fonts import Faces, covered
from model.training.line_renderer import FontSet
from model.training.line_renderer import render as render_line
from model.training.line_texts import LineText

pytestmark = pytest.mark.training

DEGRADATIONS = sorted(
    {f for f, _ in (*print_effects.TRAINING, *degrade.HELD_OUT)} | {degrade.noise},
    key=lambda f: f.__name__,
)
MASK = np.pad(np.ones((12, 60), np.float32), 8)


@pytest.fixture(scope="module")
def fonts(folder: Path) -> FontSet:
    """The fonts of the folder for training."""
    return FontSet.load(folder / "fonts")


def test_a_line_for_training_is_legible_and_repeatable(fonts: FontSet) -> None:
    """In all styles that 60 seeds have: three channels, bytes, not blank."""
    for seed in range(60):
        line = LineText("Total 17", "Total   17")
        image, again = (render_line(random.Random(seed), line, fonts) for _ in range(2))
        assert np.array_equal(image, again)
        assert image.ndim == 3
        assert image.shape[2] == 3
        assert image.dtype == np.uint8
        assert image.std() > 2


def test_a_symbol_comes_from_another_face(folder: Path, fonts: FontSet) -> None:
    """If a face has it; without one there is no line."""
    symbol = next(face for face in (fonts.faces.sample(random.Random(1), han=True),))
    coverage = {**fonts.coverage, symbol.path: frozenset(map(ord, "☐☑"))}
    faces = Faces(folder / "fonts" / "faces.json", held_out=False)
    faces.symbols = [symbol]
    face, missing = FontSet(faces, coverage).pick(random.Random(2), "☑a")
    assert missing == {"☑"}
    assert face.path != symbol.path
    with pytest.raises(LookupError):
        fonts.pick(random.Random(2), "☑a")


@pytest.mark.parametrize("width", [1, 30, 63, 64, 70, 333, 800, 1320, 1440, 1450])
@pytest.mark.parametrize("height", [20, 48, 96])
def test_fit_gives_one_of_the_widths(height: int, width: int) -> None:
    """Stretched a little, padded with mid-grey if it is narrow; a very wide line has none."""
    image = np.full((height, round(width * height / 48) or 1, 3), 7, np.uint8)
    found = widths.fit(image)
    if width > 1440:
        assert found is None
        return
    assert found is not None
    assert found.shape[0] == widths.HEIGHT_PX
    assert found.shape[1] in widths.WIDTHS_PX
    if width >= 64:
        assert abs(found.shape[1] / width - 1) < 0.15
        assert (found == 7).all()
    elif width < 60:
        assert (found[:, 63:] == 128).all()


def test_each_width_has_one_batch_size() -> None:
    """A multiple of its files; at most so many columns, if that is enough for eight lines."""
    for batch_px in (1320, 163_840):
        for width in widths.WIDTHS_PX:
            lines = widths.batch_lines(width, batch_px)
            assert lines == widths.FILES * widths.file_lines(width, batch_px) > 0
            assert lines * width <= max(batch_px, 8 * width)
            assert widths.longest_label(width) <= width // widths.STRIDE_PX


def test_equal_neighbours_need_a_step_more() -> None:
    """CTC puts a blank between them."""
    assert widths.steps_needed([1, 2, 1]) == 3
    assert widths.steps_needed([1, 1, 1, 2]) == 6


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


def test_ink_differs_from_paper(listing: Path) -> None:
    """Enough to be legible, in whatever colours."""
    faces = Faces(listing, held_out=False)
    for seed in range(40):
        image = render.render_line(random.Random(seed), "Sealed 5", faces)
        assert image.dtype == np.float32
        grey = image @ np.array([0.3, 0.59, 0.11])
        assert grey.max() - grey.min() > 40


def test_effects_on_ink_leave_some_of_it() -> None:
    """A dot for each pixel, three or four times as large; a ribbon changes the strength only."""
    dots = print_effects.dot_matrix(random.Random(1), MASK)
    assert dots.shape[0] in {3 * MASK.shape[0], 4 * MASK.shape[0]}
    assert 0.1 < dots.max() <= 1
    inked = print_effects.ribbon(random.Random(1), MASK)
    assert inked.shape == MASK.shape
    assert inked[MASK == 0].max() == 0
    assert inked[MASK == 1].std() > 0.05


def test_a_seal_darkens(fonts: FontSet) -> None:
    """It leaves dark ink dark, and colours the background."""
    image = np.full((40, 200, 3), 250, np.float32)
    image[10:30, 20:180] = 10
    face = fonts.faces.sample(random.Random(1), han=True)
    stamped = [print_effects.seal(random.Random(seed), image, face) for seed in range(5)]
    assert all((each <= image + 1e-3).all() for each in stamped)
    assert any((each < image - 20).any() for each in stamped)


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
