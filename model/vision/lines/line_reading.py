"""Read one line in its direction, and if the result is doubtful, in others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from model.options import WordMode
from model.vision.inference import Pixels
from model.vision.lines.brackets import equally_wide
from model.vision.lines.directions import Direction
from model.vision.lines.orient import Orientation
from model.vision.lines.recogniser import Recogniser
from model.vision.lines.second_reading import read_again
from model.vision.lines.straighten import straighten
from model.vision.lines.trace import Trace, trace_of
from model.vision.lines.words import ReadWord, words_of
from model.vision.polygon import Polygon

# Of a line read in the wrong direction, either is lower with nearly all texts.
_DOUBTFUL_CONFIDENCE, _DOUBTFUL_PROBABILITY = 0.5, 0.9
_GAIN = 0.05  # mean probability by which another direction must be better
_SURE = 0.85  # mean probability without which a line is not turned
_FEWEST = 3  # characters from which a text can show that its line is turned: 6 may be 9, S* *S
# A text that no line read upside down has; without a calibrated confidence, the mean probability
# of its characters.
_MANY, _CERTAIN_CONFIDENCE = 8, 0.95
_UPSIDE_DOWN = 0.9  # probability from which a line is first read upside down
_TURNED = {Direction.UPRIGHT: Direction.UPSIDE_DOWN, Direction.DOWN: Direction.UP}


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A line's text, mean probability, confidence (both 0 to 1), box, direction and words."""

    text: str
    mean_probability: float
    confidence: float
    polygon: Polygon
    direction: Direction
    trace: Trace | None = None
    words: tuple[ReadWord, ...] = ()


def with_words(line: ReadLine, mode: WordMode) -> ReadLine:
    """Return a line that was traced with its words."""
    if line.trace is None:
        return line
    return replace(line, trace=None, words=words_of(line.trace, line.text, line.confidence, mode))


class LineReader:
    """The networks that read the lines of a page, and whether they trace their characters."""

    def __init__(
        self,
        orientation: Orientation,
        recogniser: Recogniser,
        *,
        traced: bool = False,
    ) -> None:
        self._orientation = orientation
        self._recogniser = recogniser
        self._traced = traced

    def read(self, pixels: Pixels, polygon: Polygon, directions: Sequence[Direction]) -> ReadLine:
        """Read a line of a page in the first direction, and if it is doubtful in the others.

        It returns the first reading unless another one is clearly better.
        """
        first, *others = directions
        return self._read_others(pixels, self._read_in(pixels, polygon, first), others)

    def read_any(
        self, pixels: Pixels, polygon: Polygon, directions: Sequence[Direction]
    ) -> ReadLine:
        """Read a line whose page's direction is not known yet."""
        line = None
        if directions[0] is Direction.UPRIGHT:
            line = self._read_in(pixels, polygon, directions[0])
            if _certain(line):
                return line
        upright = next(each for each in directions if each in _TURNED)
        upside_down = self._upside_down(pixels, polygon, upright)
        if upside_down > _UPSIDE_DOWN:
            # Before columns: networks that know rotated letters read a line that runs up as a
            # column in reverse order, and are certain of it.
            turned = _TURNED[upright]
            directions = [turned, *(each for each in directions if each is not turned)]
            line = None
        line = line or self._read_in(pixels, polygon, directions[0])
        if line.direction is Direction.COLUMN:
            down = self._read_in(pixels, polygon, upright)
            line = down if down.mean_probability > line.mean_probability else line
        others = [each for each in directions if each is not line.direction]
        return self._read_others(pixels, line, others, upside_down)

    def _read_others(
        self,
        pixels: Pixels,
        line: ReadLine,
        directions: Iterable[Direction],
        upside_down: float | None = None,
    ) -> ReadLine:
        """Return a line, or if it is doubtful its clearly better reading in a direction.

        `upside_down` is the probability that the line is, if that is known.
        """
        first = line.direction
        for direction in directions:
            if not _doubtful(line):
                break
            if first is Direction.UPRIGHT and direction is Direction.UPSIDE_DOWN:
                if upside_down is None:
                    upside_down = self._upside_down(pixels, line.polygon, first)
                if upside_down <= 1 / 2:
                    continue
            other = self._read_in(pixels, line.polygon, direction)
            if _clearly_better(other, line):
                line = other
        return line

    def _upside_down(self, pixels: Pixels, polygon: Polygon, direction: Direction) -> float:
        """Return the probability that a line, read in a direction, is upside down."""
        return self._orientation.upside_down_probability(
            straighten(pixels, polygon, direction).pixels
        )

    def _read_in(self, pixels: Pixels, polygon: Polygon, direction: Direction) -> ReadLine:
        """Read a line in a direction."""
        straight = straighten(pixels, polygon, direction)
        line = straight.pixels
        # Any difference may be text: the recogniser reads letters two grey levels apart. All
        # pixels in one comparison: minimum and maximum take ten times as long, and of small
        # comparisons numpy keeps the memory that it copied.
        if (line == line[0, 0]).all():
            return ReadLine("", 0.0, 0.0, polygon, direction)
        text = read_again(self._recogniser, line, self._recogniser.recognise(line))
        characters = equally_wide(text.text)
        trace = None
        if self._traced and text.output is not None:
            calibration = self._recogniser.word_calibration
            trace = trace_of(pixels, straight, text, text.output, calibration)
        return ReadLine(
            characters, text.mean_probability, text.confidence, polygon, direction, trace
        )


def _certain(line: ReadLine) -> bool:
    """Return whether a text can't be that of a line read upside down."""
    return len(line.text) >= _MANY and line.confidence >= _CERTAIN_CONFIDENCE


def _doubtful(line: ReadLine) -> bool:
    """Return whether a line may run in another direction than the one it was read in."""
    return line.confidence < _DOUBTFUL_CONFIDENCE or line.mean_probability < _DOUBTFUL_PROBABILITY


def _clearly_better(other: ReadLine, line: ReadLine) -> bool:
    """Return whether a reading in another direction shows that the line runs in it."""
    least = max(_SURE, line.mean_probability + _GAIN)
    if other.direction is not Direction.COLUMN and len(other.text.replace(" ", "")) < _FEWEST:
        return False
    return other.mean_probability >= least and other.confidence > line.confidence
