"""Read the lines under a seal or watermark twice: without it, and as they are on the page."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from model.vision.lines.line_reading import ReadLine
from model.vision.overprint.seal_shape import Hull

_SURE = 0.95  # confidence from which a line under a seal is not read again


def surer_line(
    line: ReadLine, changed: Sequence[Hull], read_plain: Callable[[], ReadLine]
) -> ReadLine:
    """Return a line that was read on the changed page, or as it is on the page if that is surer.

    An opaque seal leaves gaps in letters when it is lifted; the network may know what was there.
    """
    if line.confidence >= _SURE or not any(_touches(line, hull) for hull in changed):
        return line
    plain = read_plain()
    return plain if plain.confidence > line.confidence else line


def _touches(line: ReadLine, hull: Hull) -> bool:
    """Return whether a line's box and a hull overlap."""
    area, _ = cv2.intersectConvexConvex(line.polygon, hull.astype(np.float32))
    return area > 0
