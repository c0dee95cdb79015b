"""Read a doubtful line of narrow letters again, stretched, and keep the likelier text.

The network's output has one step for each 8 columns. Letters narrower than a few steps run into
each other; stretched, each has more steps. A character that was left out is usually read when the
line has another width. Measured: docs/decisions/0020-second-reading.md.
"""

from dataclasses import replace

from model.vision.inference import Pixels
from model.vision.lines.recogniser import READABLE, RecognisedText, Recogniser

_DOUBTFUL_NLL = 0.1  # nats a character, above which a line is read again
_NARROW = 1.5  # characters on a width of one line height, above which they are narrow
_STRETCH = 1.4
_LEFT_OUT = 0.5  # confidence, at most, of a line of which the first reading left out a character
_STRETCH_INCOMPLETE = 1.1  # of a line with ink that was not read: most are read in any other width


def read_again(recogniser: Recogniser, line: Pixels, text: RecognisedText) -> RecognisedText:
    """Return the text of an upright line, H x W x 3, after a second reading if it is doubtful."""
    if text.incomplete:
        other = recogniser.recognise(line, stretch=_STRETCH_INCOMPLETE)
        better = not other.incomplete or other.nll < text.nll
        text = other if other.text and better else text
        return replace(text, confidence=min(text.confidence, _LEFT_OUT))
    height, width = line.shape[:2]
    characters = len(text.text)
    if (
        not recogniser.calibrated  # the limits below are of our own recognisers
        or text.nll <= _DOUBTFUL_NLL * characters
        or text.mean_probability < READABLE
        or characters * height < _NARROW * width
    ):
        return text
    other = recogniser.recognise(line, stretch=_STRETCH)
    return other if other.text and other.nll < text.nll else text
