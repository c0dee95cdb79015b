"""Find out which lines of a page are sideways, and which are upside down."""

from collections.abc import Callable, Iterable, Sequence

from model.vision.polygon import Polygon, width_and_height

_CLEAR_ASPECT = 3.0  # a box with a longer side of at least this ratio shows its direction
_SAMPLES = 5  # the widest lines, which show whether the page is upside down


def sideways_lines(polygons: Sequence[Polygon]) -> set[int]:
    """Return the indices of the boxes whose text runs up or down the page.

    Long boxes show their direction. Short ones do not (a "1" is high and yet upright): they have
    the direction of most of the page.
    """
    sizes = [width_and_height(polygon) for polygon in polygons]
    high = {i for i, (width, height) in enumerate(sizes) if height >= _CLEAR_ASPECT * width}
    wide = {i for i, (width, height) in enumerate(sizes) if width >= _CLEAR_ASPECT * height}
    if sum(sizes[i][1] for i in high) > sum(sizes[i][0] for i in wide):
        return set(range(len(sizes))) - wide
    return high


def upside_down_lines(
    polygons: Sequence[Polygon],
    sideways: set[int],
    classify: Callable[[Iterable[int]], set[int]],
) -> set[int]:
    """Return the indices of the lines that are upside down.

    `classify` returns which of some lines are. On most pages no line is: only if most of the
    widest lines are, all others are classified. Sideways lines always are, because nothing else
    shows their direction.
    """
    level = set(range(len(polygons))) - sideways
    by_width = sorted(level, key=lambda index: -width_and_height(polygons[index])[0])
    samples = by_width[:_SAMPLES]
    upside_down = classify(samples)
    if len(upside_down) > len(samples) / 2:
        upside_down |= classify(level - set(samples))
    return upside_down | classify(sideways)


def quarter_turns(polygons: Sequence[Polygon], sideways: set[int], upside_down: set[int]) -> int:
    """Return the rotations by 90 degrees, counter-clockwise, that make most lines upright."""
    votes = [0, 0, 0, 0]
    for index, polygon in enumerate(polygons):
        quarters = (1 if index in sideways else 0) + (2 if index in upside_down else 0)
        votes[quarters] += max(width_and_height(polygon))
    return votes.index(max(votes))
