"""Which lines are upside down, by the network."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from model.vision.crop import rotate_180
from model.vision.lines import orient
from model.vision.lines.orient import Orientation
from model.weights import pick_orientation
from tests.model.images import render_line

LONG = "Meeting room 14, second floor, Monday 9 March 2026, from 10:30 to 12:00 and 14:00 to 16:30"


@pytest.fixture(scope="module")
def orientation() -> Orientation:
    """Return the network."""
    # In a thread that ends, as in test_page: loading changes how its thread computes.
    with ThreadPoolExecutor(1) as loading:
        return loading.submit(Orientation, pick_orientation().loaded(), threads=1).result()


@pytest.mark.parametrize("text", ["Black coffee", LONG])
def test_a_line_and_its_rotation_are_told_apart(orientation: Orientation, text: str) -> None:
    """Short or long."""
    line = np.asarray(render_line(text).convert("RGB"))
    assert orientation.upside_down_probability(line) < 0.2
    assert orientation.upside_down_probability(rotate_180(line)) > 0.9


@pytest.mark.parametrize(
    ("width", "starts"),
    [(1, [0]), (60, [0]), (61, [0, 1]), (120, [0, 60]), (600, [0, 270, 540])],
)
def test_a_long_line_is_classified_in_windows(width: int, starts: list[int]) -> None:
    """Three at most, from its start to its end, six times as wide as high."""
    line = np.zeros((10, width, 3), np.uint8)
    line[:] = np.arange(width, dtype=np.uint16)[None, :, None] // 3
    windows = orient._windows(line)
    assert [int(window[0, 0, 0]) for window in windows] == [start // 3 for start in starts]
    assert {window.shape for window in windows} == {(10, min(width, 60), 3)}
