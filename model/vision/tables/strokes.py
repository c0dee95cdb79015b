"""The strokes of ruled lines in a grey image: long, thin, even and straight."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from model.vision.polygon import Numbers

Grey = npt.NDArray[np.integer[Any] | np.floating[Any]]  # H x W, 0 to 255, as OpenCV returns it

_FAINT = 12  # grey levels that a rule is darker than the paper on both sides
_DARK = 32  # the same of a dotted or broken rule: noise around letters has less
_EVEN = 0.4  # of a stroke's mean darkness: no place of a rule has less
_SLIPPED = 3  # px: a rule that isn't quite level moves by less in its shortest length
_CROSSING = 3  # px: the thickness of a rule that crosses another
# In heights of a text box: strokes of letters are shorter than a rule.
_MIN_WIDTH, _MIN_HEIGHT = 3.0, 1.6
_STROKE = 0.5  # what is thicker is no rule but an area
_GAP = 0.6  # in a dotted or broken rule
_BROKEN = 2.0  # how much longer than others a dotted or broken rule must be
_EDGE = 0.05  # of a box's height: its edge may reach over a rule
_IN_TEXT = 0.6  # share of a stroke inside boxes from which it is of letters
_CERTAIN = 5.0  # shortest lengths of a rule through boxes that reach across it
_SHORTEST = 0.5  # of the least length: a contour shorter than this is not a rule
_END = 0.125  # of a stroke's length: the part at each end whose mean is the position there
_SLOPE = 0.05  # of a rule to the axis
_MAX_RULES = 300  # the longest are kept


def find_strokes(grey: Grey, text: Grey, height: float, *, upright: bool) -> Numbers:
    """Return the rules along the rows, N x 4: from, to, and the position at both ends, in px.

    `text` is 255 in the boxes of text, which are `height` px high; solid rules are found across
    text as well, dotted and broken ones only outside it. `upright` rules may be shorter.
    """
    length = max(3, round((_MIN_HEIGHT if upright else _MIN_WIDTH) * height))
    thickness, gap = max(3, round(_STROKE * height)), max(3, round(_GAP * height))
    depth = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, np.ones((thickness, 1), np.uint8))
    depth = cv2.dilate(depth, np.ones((_SLIPPED, 1), np.uint8))
    if upright:  # Where a rule crosses, nothing beside this one is paler; rows may be low.
        depth = cv2.morphologyEx(depth, cv2.MORPH_CLOSE, np.ones((1, _CROSSING), np.uint8))
    close, longer = np.ones((1, gap), np.uint8), np.ones((1, round(_BROKEN * length)), np.uint8)
    # Small letters touch, too, but are darker than the places where they do.
    weakest = cv2.morphologyEx(depth, cv2.MORPH_OPEN, np.ones((1, length), np.uint8))
    least = cv2.convertScaleAbs(cv2.blur(depth, (length, 1)), alpha=_EVEN)
    solid = cv2.compare(weakest, np.maximum(least, _FAINT), cv2.CMP_GT)
    dark = cv2.threshold(depth, _DARK, 255, cv2.THRESH_BINARY)[1]
    broken = cv2.morphologyEx(cv2.subtract(dark, text), cv2.MORPH_CLOSE, close)
    broken = cv2.morphologyEx(broken, cv2.MORPH_OPEN, longer)
    strokes = cv2.morphologyEx(cv2.bitwise_or(solid, broken), cv2.MORPH_CLOSE, close)
    contours, _ = cv2.findContours(strokes, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    longest = sorted(contours, key=lambda each: -cv2.boundingRect(each)[2])[:_MAX_RULES]
    inside = cv2.erode(text, np.ones((2 * round(_EDGE * height) + 1, 1), np.uint8))
    rules = []
    for first, last, begin, end in (_ends(contour[:, 0]) for contour in longest):
        if (
            last - first < _SHORTEST * length
            or abs(end - begin) > _SLOPE * (last - first) + _SLIPPED
        ):
            continue
        covered = inside[round((begin + end) / 2), int(first) : int(last) + 1].mean() / 255
        if covered < _IN_TEXT or (upright and last - first > _CERTAIN * length):
            rules.append([first, last, begin, end])
    return np.array(rules).reshape(-1, 4)


def _ends(points: Grey) -> list[float]:
    """Return where a stroke begins and ends, and its position at both, from its outline, N x 2."""
    first, last = float(points[:, 0].min()), float(points[:, 0].max())
    near = _END * (last - first)
    begin = points[points[:, 0] <= first + near, 1].mean()
    end = points[points[:, 0] >= last - near, 1].mean()
    return [first, last, float(begin), float(end)]
