"""Read one line: as it was cropped, rotated by 180 degrees, or as a column of characters."""

from dataclasses import dataclass

from model.vision.crop import crop_line, rotate_180
from model.vision.inference import Pixels
from model.vision.orient import Orientation
from model.vision.polygon import Polygon
from model.vision.recogniser import RecognisedText, Recogniser
from model.vision.vertical import to_horizontal

DOUBTFUL = 0.8  # mean probability below which a line of an upright page is classified, too


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A line's text, mean probability, confidence (both 0 to 1) and polygon."""

    text: str
    mean_probability: float
    confidence: float
    polygon: Polygon


class LineReader:
    """The networks that read a cropped line."""

    def __init__(self, orientation: Orientation, recogniser: Recogniser) -> None:
        self._orientation = orientation
        self._recogniser = recogniser

    def read(self, line: Pixels, polygon: Polygon, *, upside_down: bool) -> ReadLine:
        """Recognise a cropped line; if the result is doubtful, try it rotated by 180 degrees."""
        # Any difference may be text: the recogniser reads letters two grey levels apart. All
        # pixels in one comparison: minimum and maximum take ten times as long, and of small
        # comparisons numpy keeps the memory that it copied.
        if (line == line[0, 0]).all():
            return ReadLine("", 0.0, 0.0, polygon)
        text = self._recogniser.recognise(rotate_180(line) if upside_down else line)
        if (
            text.mean_probability < DOUBTFUL
            and not upside_down
            and self._orientation.is_upside_down(line)
        ):
            other = self._recogniser.recognise(rotate_180(line))
            text = other if other.mean_probability > text.mean_probability else text
        return _read_line_at(polygon, text)

    def read_vertical(self, pixels: Pixels, line: ReadLine) -> ReadLine:
        """Read a line's box as a column of upright characters; return the more probable result."""
        horizontal = to_horizontal(crop_line(pixels, line.polygon, sideways=False))
        if horizontal is None:
            return line
        column = _read_line_at(line.polygon, self._recogniser.recognise(horizontal))
        return column if column.mean_probability > line.mean_probability else line


def _read_line_at(polygon: Polygon, text: RecognisedText) -> ReadLine:
    """Return a recognised text with its polygon."""
    return ReadLine(text.text, text.mean_probability, text.confidence, polygon)
