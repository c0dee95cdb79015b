"""Whether lines on both sides of a gutter are columns, each read to its end, or rows of a table."""

from bisect import bisect_left
from enum import Enum
from itertools import pairwise
from statistics import median

from model.vision.layout.gutters import FEWEST, LONG, WORDY, Stack

# Width of a line by its height:
RAGGED = 4.5  # of an address
# In heights of a line:
_SAME_ROW = 0.25  # distance of the middles of two lines of one row, or of two cells of one
_SAME_EDGE = 0.8  # how far a line may begin from the left edge of its column, ...
_SAME_START = 0.4  # ... and in a block without indentation
_INK = 0.45  # of a line, above and below its middle
_TIGHT, _LOOSE = 1.5, 2.0  # distance of two lines of a block, and of running text
_APART = 2.5  # lowest gap between two blocks
_FEWEST_APART = 4  # lines in a column whose rows are not those of its neighbour
_MATCHED, _ALL_MATCHED = 0.75, 0.95  # share of lines in rows, with the same pitch and with another
_SAME_PITCH = 1.06  # ratio of two
_LEVEL = 0.9  # share of rows whose cells are level
_MOST = 0.6  # share of lines at the left edge
_FULL = 0.85  # width of a line of running text, by the width of its column
_FULL_IN_ONE, _FULL_IN_BOTH = 0.45, 0.6  # share of such lines: in each column, and on average
_UNBALANCED = 2.5  # ratio of the widths of two blocks


class Verdict(Enum):
    """What the lines on both sides of a gutter are."""

    COLUMNS = "columns"
    ROWS = "rows"
    UNDECIDED = "undecided"  # too few to say


def verdict(left: Stack, right: Stack) -> Verdict:
    """Return what two stacks of lines are, from where both have lines."""
    one, other = _side_by_side(left, right)
    fewest = min(len(one.lines), len(other.lines))
    if fewest < FEWEST:
        return Verdict.UNDECIDED
    columns = _running_text(one, other)
    if not columns and _in_rows(one, other):
        columns = _blocks(one, other)
    elif not columns and fewest < _FEWEST_APART:
        return Verdict.UNDECIDED
    elif not columns:
        columns = all(aspect(stack) >= WORDY and _aligned_left(stack) for stack in (one, other))
    return Verdict.COLUMNS if columns else Verdict.ROWS


def aspect(stack: Stack) -> float:
    """Return the median width of a line by the median height."""
    widths = [right - left for left, right in zip(stack.left, stack.right, strict=True)]
    return median(widths) / median(stack.height)


def pitch(stack: Stack) -> float:
    """Return the median distance of two lines in heights."""
    return median(after - before for before, after in pairwise(stack.middle)) / median(stack.height)


def _side_by_side(left: Stack, right: Stack) -> tuple[Stack, Stack]:
    """Return the lines of both stacks that are beside lines of the other one."""
    if not left.lines or not right.lines:
        return left.choose([]), right.choose([])
    reach = (median(left.height) + median(right.height)) / 2
    first = max(left.middle[0], right.middle[0]) - reach
    last = min(left.middle[-1], right.middle[-1]) + reach
    return left.part(first, last), right.part(first, last)


def _in_rows(one: Stack, other: Stack) -> bool:
    """Return whether the lines, or the cells of several lines, of two stacks are in rows."""
    few, many = sorted((one, other), key=lambda stack: len(stack.lines))
    matched = sum(
        _nearest(many.middle, y) <= _SAME_ROW * height
        for y, height in zip(few.middle, few.height, strict=True)
    )
    pitches = sorted((pitch(one), pitch(other)))
    enough = _MATCHED if pitches[1] <= _SAME_PITCH * pitches[0] else _ALL_MATCHED
    if matched >= enough * len(few.lines):
        return True
    rows = [row for row in _strips(one, other) if row[0] and row[1]]
    level = sum(_level_cells(row[0], row[1], median(few.height)) for row in rows)
    return len(rows) >= FEWEST and level >= _LEVEL * len(rows)


def _nearest(sorted_values: list[float], value: float) -> float:
    """Return the distance to the nearest of some values."""
    at = bisect_left(sorted_values, value)
    return min(abs(value - near) for near in sorted_values[max(0, at - 1) : at + 1])


def _strips(one: Stack, other: Stack) -> list[tuple[list[float], list[float]]]:
    """Return the middles of both stacks' lines, parted where neither has a line."""
    lines = [
        (y - _INK * height, y + _INK * height, y, side)
        for side, stack in enumerate((one, other))
        for y, height in zip(stack.middle, stack.height, strict=True)
    ]
    strips: list[tuple[list[float], list[float]]] = []
    end = float("-inf")
    for top, bottom, y, side in sorted(lines):
        if top > end:
            strips.append(([], []))
        strips[-1][side].append(y)
        end = max(end, bottom)
    return strips


def _level_cells(one: list[float], other: list[float], height: float) -> bool:
    """Return whether two cells have their first lines, or their centres, at the same height."""
    first = abs(one[0] - other[0])
    centre = abs(one[0] + one[-1] - other[0] - other[-1]) / 2
    return min(first, centre) <= _SAME_ROW * height


def _aligned_left(stack: Stack) -> bool:
    """Return whether most lines begin at the left edge of their column."""
    edge, height = median(stack.left), median(stack.height)
    near = sum(abs(x - edge) <= _SAME_EDGE * height for x in stack.left)
    return near >= _MOST * len(stack.lines)


def _running_text(one: Stack, other: Stack) -> bool:
    """Return whether both stacks have long lines that fill their column."""
    if not all(aspect(stack) >= LONG and pitch(stack) <= _LOOSE for stack in (one, other)):
        return False
    full = [_full(stack) for stack in (one, other)]
    return min(full) >= _FULL_IN_ONE and sum(full) >= 2 * _FULL_IN_BOTH


def _full(stack: Stack) -> float:
    """Return the share of the lines that are about as wide as their column."""
    left, ends = min(stack.left), sorted(stack.right)
    right = ends[-1 - len(ends) // 10]  # a line in ten may be longer
    return sum(x >= left + _FULL * (right - left) for x in ends) / len(ends)


def _blocks(one: Stack, other: Stack) -> bool:
    """Return whether both stacks are short tight blocks, as addresses are, well apart."""
    one, other = _flush(one), _flush(other)
    if min(len(one.lines), len(other.lines)) < FEWEST:
        return False
    apart = min(other.left) - max(one.right)
    aspects = sorted((aspect(one), aspect(other)))
    return (
        aspects[0] >= RAGGED
        and aspects[1] <= _UNBALANCED * aspects[0]
        and apart >= _APART * median(one.height + other.height)
        and min(pitch(one), pitch(other)) <= _TIGHT
        and _ragged_right(one)
        and _ragged_right(other)
    )


def _flush(stack: Stack) -> Stack:
    """Return the lines that begin at the left edge; none if they are not most of them."""
    edge, height = median(stack.left), median(stack.height)
    flush = [i for i, x in enumerate(stack.left) if abs(x - edge) <= _SAME_START * height]
    return stack.choose(flush if len(flush) >= _MOST * len(stack.lines) else [])


def _ragged_right(stack: Stack) -> bool:
    """Return whether the right edges of the lines differ more than the left ones."""
    return max(stack.right) - min(stack.right) > 2 * (max(stack.left) - min(stack.left))
