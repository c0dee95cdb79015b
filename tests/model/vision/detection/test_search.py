"""The passes over a page: which follow one another, and what they keep of what was found."""

import numpy as np
import pytest

from model.vision.detection.detect import Detection, Detector
from model.vision.detection.region import Region, whole
from model.vision.inference import Network, Pixels
from model.vision.polygon import Polygon
from model.weights import pick


@pytest.fixture(scope="module")
def detector() -> Detector:
    """Return the default detector."""
    return Detector(pick("ppocrv3-det", "detector").loaded(), threads=1)


def box(left: int, top: int, right: int, bottom: int) -> Polygon:
    """Return an upright box."""
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


class Script:
    """Passes with a given result instead of a network's."""

    def __init__(self, *passes: Polygon) -> None:
        """Each pass finds one box; the last one again and again."""
        self.passes = list(passes)
        self.scales: list[float] = []

    def detect_at(self, _: Network, pixels: Pixels, __: Region, scale: float) -> Detection:
        """Return the box of the next pass, with text all over the page."""
        self.scales.append(scale)
        found = self.passes[0] if len(self.passes) == 1 else self.passes.pop(0)
        return Detection([found], whole(pixels))


def test_a_whole_line_replaces_the_part_that_an_earlier_pass_found(
    detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of boxes stays the same."""
    part, line = box(100, 300, 500, 600), box(90, 290, 1300, 620)
    script = Script(part, line)
    monkeypatch.setattr(detector, "detect_at", script.detect_at)
    [found] = detector.find_lines(np.full((700, 1400, 3), 255, np.uint8))
    assert script.scales[1] < script.scales[0]
    assert found is line


def test_a_pass_that_finds_nothing_new_is_the_last_one(
    detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: the earlier box stays."""
    line = box(100, 300, 500, 420)
    script = Script(line, box(90, 290, 510, 430))
    monkeypatch.setattr(detector, "detect_at", script.detect_at)
    [found] = detector.find_lines(np.full((1400, 1400, 3), 255, np.uint8))
    assert len(script.scales) == 2
    assert found is line


def test_a_skewed_page_is_levelled_at_the_scale_of_the_last_pass(
    detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not at one that would have followed it."""
    script = Script(box(0, 0, 400, 120), box(0, 200, 900, 500), box(0, 510, 1390, 1390))
    levelled: list[float] = []

    def find_skewed(
        _: Network, __: Pixels, ___: Region, scale: float, found: list[Polygon]
    ) -> list[Polygon]:
        levelled.append(scale)
        return found

    monkeypatch.setattr(detector, "detect_at", script.detect_at)
    monkeypatch.setattr(detector, "_find_skewed", find_skewed)
    detector.find_lines(np.full((1400, 1400, 3), 255, np.uint8))
    assert len(script.scales) == 3
    assert levelled == script.scales[-1:]


def test_the_box_of_a_skewed_line_at_the_edge_stays_a_rectangle(
    detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may reach over the edge of the page; cropping a line fills that in."""
    script = Script(box(150, 20, 700, 60))  # on the levelled page, whose corners are blank
    monkeypatch.setattr(detector, "detect_at", script.detect_at)
    skewed = np.array([[380, 250], [780, 530], [760, 560], [360, 280]], np.float32)
    pixels = np.full((600, 800, 3), 255, np.uint8)
    found, *_ = detector._find_skewed(detector.networks[1], pixels, whole(pixels), 1.0, [skewed])
    across, down = found[1] - found[0], found[3] - found[0]
    assert found.min() < 0
    assert float(across @ down) == pytest.approx(0, abs=0.5)
    assert np.linalg.norm(down) == pytest.approx(40, abs=0.1)
