"""A probability map to boxes."""

import numpy as np
import pytest

from model.vision.detection.boxes import boxes
from model.vision.detection.detect import Detector
from model.vision.inference import Blob
from model.vision.polygon import order_points_clockwise
from model.weights import pick


def test_a_line_on_the_map_becomes_a_larger_box() -> None:
    """A rectangle of text grows by its area * 1.6 / its perimeter."""
    probability = np.zeros((200, 400), np.float32)
    probability[50:71, 100:301] = 0.9
    (found,) = boxes(probability)
    grown = 200 * 20 * 1.6 / (2 * (200 + 20))
    expected = [[100 - grown, 50 - grown], [300 + grown, 70 + grown]]
    assert found[[0, 2]] == pytest.approx(np.array(expected), abs=2)


def test_a_slanted_line_keeps_its_slant() -> None:
    """The box is slanted, too, clockwise from the top left."""
    probability = np.zeros((200, 400), np.float32)
    for x in range(50, 350):
        probability[60 + x // 6 : 80 + x // 6, x] = 0.9
    (found,) = boxes(probability)
    top_left, top_right, bottom_right, bottom_left = found
    assert top_left[0] < bottom_right[0]
    assert top_left[1] < bottom_left[1]
    slope = (top_right[1] - top_left[1]) / (top_right[0] - top_left[0])
    assert slope == pytest.approx(1 / 6, abs=0.03)


def test_small_and_improbable_boxes_are_dropped() -> None:
    """A box of two pixels, and one of low mean probability."""
    probability = np.zeros((200, 400), np.float32)
    probability[10, 10] = 1
    probability[100:120, 100:300] = 0.4
    assert list(boxes(probability)) == []


@pytest.mark.parametrize("angle", [0, 20, -20])
def test_corners_start_at_the_top_left(angle: float) -> None:
    """And go clockwise, with whichever corner OpenCV starts."""
    turn = np.radians(angle)
    wide = np.array([np.cos(turn), np.sin(turn)]) * 100
    high = np.array([-np.sin(turn), np.cos(turn)]) * 20
    corners = np.array([[0, 0], wide, wide + high, high], np.float32)
    for start in range(4):
        assert order_points_clockwise(np.roll(corners, start, axis=0)) == pytest.approx(corners)


@pytest.mark.parametrize("degrees", [-30, -4, 4, 30])
@pytest.mark.parametrize("size", [(20, 800), (800, 20), (40, 44)])
def test_the_first_corner_of_a_box_that_leans_is_its_top_left(
    size: tuple[int, int], degrees: int
) -> None:
    """Of a high one, the two leftmost corners may be at both sides."""
    width, height = size
    upright = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]], np.float32)
    corners = upright @ turn
    for start in range(4):
        ordered = order_points_clockwise(np.roll(corners, start, axis=0))
        assert ordered == pytest.approx(corners, abs=1e-2)


@pytest.mark.parametrize(("threads", "used"), [(1, 1), (2, 2), (3, 2), (4, 4), (5, 4), (6, 6)])
def test_a_page_uses_at_most_its_threads(
    monkeypatch: pytest.MonkeyPatch, threads: int, used: int
) -> None:
    """The network used is the one loaded for the most threads that are allowed."""
    detector = Detector(pick("ppocrv3-det", "detector"), threads=6)
    ran: list[int] = []
    for number, network in detector.networks.items():

        def run(blob: Blob, number: int = number) -> Blob:
            ran.append(number)
            return np.zeros((1, 1, *blob.shape[2:]), np.float32)

        monkeypatch.setattr(network, "run", run)
    detector.find_lines(np.zeros((100, 100, 3), np.uint8), threads=threads)
    assert set(ran) == {used}
