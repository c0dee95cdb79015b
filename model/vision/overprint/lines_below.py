"""Find the lines of a page under what is printed or stamped over them: seals and watermarks."""

from collections.abc import Callable

from model.vision.inference import Pixels
from model.vision.overprint.lifted import Lifted
from model.vision.overprint.seal_lift import lift_seals
from model.vision.overprint.watermark import join_pale_lines, lift_watermark
from model.vision.polygon import Polygon


def find_lines_below(
    pixels: Pixels, find_lines: Callable[[Pixels], list[Polygon]]
) -> tuple[Lifted, list[Polygon]]:
    """Return a page, H x W x 3, without seals and watermark, and the boxes of its lines.

    Only a page with a watermark is searched twice.
    """
    lifted = lift_seals(pixels)
    polygons = find_lines(lifted.pixels)
    clean = lift_watermark(lifted, polygons)
    if clean is lifted:
        return lifted, polygons
    return clean, join_pale_lines(find_lines(clean.pixels), polygons)
