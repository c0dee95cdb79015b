"""The trace of a line that was read: where its characters are, and how probable they were."""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from model.vision.inference import Pixels
from model.vision.lines.recogniser import MIN_NLL, Output, RecognisedText
from model.vision.lines.straighten import Straightened
from model.vision.lines.vertical_layout import Horizontal
from model.vision.polygon import Numbers, Polygon

_EARLIER = 0.25  # steps by which a character's middle is before that of its steps (measured)

_AROUND = np.array([[-1], [0], [1]])

Calibration = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Trace:
    """The page, H x W x 3, on which a line was read, its box, and its N characters.

    The box begins at the top left of the text. `steps` are those of the network's output in which
    each character was read, with the one before and the one after: 3 x N. `probabilities` are those
    of the character in each. `step` is a step's share of the width of the line. `calibration` is
    that of words, if there is one.
    """

    pixels: Pixels
    box: Polygon
    column: Horizontal | None
    steps: npt.NDArray[np.intp]
    probabilities: npt.NDArray[np.float32]
    step: float
    nll: float  # of the line's text
    calibration: Calibration | None

    def middles(self) -> Numbers:
        """Return the middles of the characters, N, as shares of the line's width.

        A character between two steps is in both, with the more probability in the nearer one.
        """
        weights = self.probabilities.astype(np.float64)
        middles: Numbers = (self.steps * weights).sum(axis=0) / weights.sum(axis=0)
        return (middles + 0.5 - _EARLIER) * self.step

    def confidences(self, groups: list[list[int]], least: float) -> list[float]:
        """Return the probability that each group of characters is right, `least` or more.

        It is the mean probability of its characters if that is not calibrated.
        """
        if self.calibration is None:
            highest = self.probabilities.max(axis=0).tolist()
            return [sum(highest[index] for index in group) / len(group) for group in groups]
        slope, line_slope, intercept = self.calibration
        return [
            max(least, 1 / (1 + math.exp(-intercept - slope * doubt - line_slope * line)))
            for doubt, line in self.doubts(groups)
        ]

    def doubts(self, groups: list[list[int]]) -> list[tuple[float, float]]:
        """Return how doubtful each group of characters is, and the line that it is in.

        They are the logarithms of its negative log-probability, and of the line's NLL for each of
        its characters.
        """
        nlls = (-np.log(self.probabilities.max(axis=0).clip(MIN_NLL))).tolist()
        line = _log(self.nll / len(nlls))
        return [(_log(sum(nlls[index] for index in group)), line) for group in groups]

    def on(self, pixels: Pixels, right: float, down: float) -> "Trace":
        """Return the trace on a page of which the one it was read on is a part."""
        box: Polygon = self.box + np.array([right, down], np.float32)
        return replace(self, pixels=pixels, box=box)


def trace_of(
    pixels: Pixels,
    line: Straightened,
    text: RecognisedText,
    output: Output,
    calibration: Calibration | None,
) -> Trace:
    """Return the trace of a line of a page, without the spaces around its text."""
    whole = output.decoded.text
    first = len(whole) - len(whole.lstrip())
    kept = slice(first, first + len(whole.strip()))
    steps, classes = output.decoded.steps[kept], output.decoded.classes[kept]
    around = (steps + _AROUND).clip(0, len(output.probabilities) - 1)
    probabilities = output.probabilities[around, classes]
    return Trace(
        pixels, line.box, line.column, around, probabilities, output.step, text.nll, calibration
    )


def _log(nll: float) -> float:
    return math.log(max(nll, MIN_NLL))
