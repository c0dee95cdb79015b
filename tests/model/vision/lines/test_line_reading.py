"""In which direction a line is read: the networks are replaced by what they answer."""

from dataclasses import dataclass, field
from typing import cast

import numpy as np
import pytest

from model.vision.inference import Pixels
from model.vision.lines.directions import Direction, possible_directions
from model.vision.lines.line_reading import LineReader
from model.vision.lines.orient import Orientation
from model.vision.lines.recogniser import RecognisedText, Recogniser
from model.vision.polygon import Polygon

LEVEL = np.array([[0, 0], [90, 0], [90, 30], [0, 30]], np.float32)
HIGH = np.array([[0, 0], [30, 0], [30, 90], [0, 90]], np.float32)
UPRIGHT, DOWN, UPSIDE_DOWN, UP, COLUMN = Direction
CERTAIN, BETTER, GARBAGE = ("Invoice 42", 0.99, 0.98), ("Invoice 42", 0.9, 0.7), ("☒OI☒", 0.7, 0.1)
Answer = tuple[str, float, float]
AMOUNT: Answer = ("198.00", 0.99, 0.98)


@dataclass
class Networks:
    """The answers for each direction, found by where a page's dark corner is; those asked for."""

    answers: dict[Direction, Answer]
    upside_down: float = 1.0
    read: list[Direction] = field(default_factory=list)
    classified: int = 0

    def recognise(self, line: Pixels) -> RecognisedText:
        """Return the answer for a line's direction."""
        corners = line[0, 0, 0], line[0, -1, 0], line[-1, -1, 0], line[-1, 0, 0]
        dark = int(np.argmin(corners))
        high = self.high and line.shape[0] > line.shape[1]
        # Read upright, the dark corner of the page is the first one of the line.
        direction = COLUMN if high else {0: UPRIGHT, 3: DOWN, 2: UPSIDE_DOWN, 1: UP}[dark]
        self.read.append(direction)
        return RecognisedText(
            *self.answers.get(direction, ("", 0.0, 0.0)), nll=0.0, incomplete=False
        )

    high = False
    calibrated = False

    def upside_down_probability(self, line: Pixels) -> float:
        """Return how certain the classifier is that a line is upside down."""
        assert line.size
        self.classified += 1
        return self.upside_down

    def reader(self) -> LineReader:
        """Return a reader that asks these networks."""
        return LineReader(cast("Orientation", self), cast("Recogniser", self))


def page(polygon: Polygon) -> Pixels:
    """Return a page with one line whose top left corner is dark."""
    width, height = polygon[2].astype(int)
    pixels = np.full((height, width, 3), 255, np.uint8)
    pixels[:2, :2] = 0
    return pixels


def read(networks: Networks, polygon: Polygon = LEVEL, first: Direction = UPRIGHT) -> Direction:
    """Return the direction in which a line was read, on a page where `first` is the usual one."""
    sideways = polygon is HIGH
    networks.high = sideways
    directions = possible_directions(polygon, sideways=sideways, first=first)
    return networks.reader().read(page(polygon), polygon, directions).direction


def test_a_certain_line_is_read_once() -> None:
    """The classifier is not asked."""
    networks = Networks({UPRIGHT: CERTAIN, UPSIDE_DOWN: ("Zh 93101u1", 1.0, 1.0)})
    assert read(networks) is UPRIGHT
    assert networks.read == [UPRIGHT]


@pytest.mark.parametrize(
    ("upright", "turned"),
    [
        (("☒0I &= ☒x", 0.6, 0.04), ("H☒O CO☒", 0.74, 0.1)),  # both are garbage
        (("Order 7", 0.88, 0.4), ("L 19b10", 0.9, 0.5)),  # not clearly better
        (("9", 0.6, 0.7), ("6", 0.99, 1.0)),  # one character shows nothing
    ],
)
def test_an_upright_line_is_not_turned_for_a_little(upright: Answer, turned: Answer) -> None:
    """Even if the classifier is certain."""
    networks = Networks({UPRIGHT: upright, UPSIDE_DOWN: turned})
    assert read(networks) is UPRIGHT
    assert networks.read == [UPRIGHT, UPSIDE_DOWN]


def test_a_line_that_reads_better_upside_down_is_turned() -> None:
    """If the classifier agrees: otherwise it is not read again."""
    answers = {UPRIGHT: GARBAGE, UPSIDE_DOWN: BETTER}
    assert read(Networks(answers)) is UPSIDE_DOWN
    networks = Networks(answers, upside_down=0.2)
    assert read(networks) is UPRIGHT
    assert networks.read == [UPRIGHT]


def test_a_line_of_a_page_that_is_upside_down_is_read_both_ways() -> None:
    """Whatever the classifier says."""
    answers = {UPRIGHT: BETTER, UPSIDE_DOWN: GARBAGE}
    assert read(Networks(answers, upside_down=1.0), first=UPSIDE_DOWN) is UPRIGHT


@pytest.mark.parametrize("usual", [DOWN, UP, COLUMN])
@pytest.mark.parametrize("true", [DOWN, UP, COLUMN])
def test_a_sideways_line_is_read_in_the_usual_direction_first(
    usual: Direction, true: Direction
) -> None:
    """And in the other two if that is doubtful."""
    networks = Networks(dict.fromkeys((DOWN, UP, COLUMN), GARBAGE) | {true: BETTER})
    assert read(networks, HIGH, usual) is true
    assert networks.read[0] is usual


@pytest.mark.parametrize(
    ("upside_down", "expected"), [(0.99, UPSIDE_DOWN), (0.6, UPRIGHT), (0.1, UPRIGHT)]
)
def test_on_an_unknown_page_the_classifier_chooses_between_two_certain_readings(
    upside_down: float, expected: Direction
) -> None:
    """If it is certain, too: 00'86I may be 198.00."""
    networks = Networks({UPRIGHT: AMOUNT, UPSIDE_DOWN: AMOUNT}, upside_down)
    directions = possible_directions(LEVEL, sideways=False)
    line = networks.reader().read_any(page(LEVEL), LEVEL, directions)
    assert line.direction is expected
    assert networks.read[-1] is expected


def test_on_an_unknown_page_a_long_certain_line_is_not_classified() -> None:
    """That saves most of the time of the classifier."""
    networks = Networks({UPRIGHT: CERTAIN, UPSIDE_DOWN: CERTAIN}, 0.99)
    directions = possible_directions(LEVEL, sideways=False)
    assert networks.reader().read_any(page(LEVEL), LEVEL, directions).direction is UPRIGHT
    assert networks.read == [UPRIGHT]


def test_on_an_unknown_page_a_wrong_classifier_loses_no_line() -> None:
    """The line is read the other way, too."""
    networks = Networks({UPRIGHT: AMOUNT, UPSIDE_DOWN: GARBAGE}, 0.99)
    directions = possible_directions(LEVEL, sideways=False)
    assert networks.reader().read_any(page(LEVEL), LEVEL, directions).direction is UPRIGHT


@pytest.mark.parametrize(
    ("upside_down", "expected"), [(0.6, [UPRIGHT, UPSIDE_DOWN]), (0.4, [UPRIGHT])]
)
def test_on_an_unknown_page_a_doubtful_line_is_classified_once(
    upside_down: float, expected: list[Direction]
) -> None:
    """What the classifier said decides whether it is read upside down, too."""
    networks = Networks({UPRIGHT: GARBAGE, UPSIDE_DOWN: GARBAGE}, upside_down)
    directions = possible_directions(LEVEL, sideways=False)
    networks.reader().read_any(page(LEVEL), LEVEL, directions)
    assert (networks.read, networks.classified) == (expected, 1)
