"""A page without what was printed or stamped over its lines."""

from typing import NamedTuple

from model.vision.inference import Pixels
from model.vision.overprint.seal_shape import Hull


class Lifted(NamedTuple):
    """A page, H x W x 3, without seals and watermark, and the convex hulls of what has changed.

    That is each seal; with a watermark, the whole page, too.
    """

    pixels: Pixels
    changed: list[Hull]
