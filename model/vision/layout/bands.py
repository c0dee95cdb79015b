"""Where columns stand side by side: from which height to which."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from model.vision.layout.columns import RAGGED, Verdict, aspect, pitch, verdict
from model.vision.layout.gutters import Gutter, Stack

# In heights of a line:
_APART = 0.5  # lowest gap between two pieces of a gutter ...
_TIMES_APART = 2.0  # ... and by the usual gap between two lines
_NEAR = 4.0  # highest distance of two pieces of the same columns
_SAME_EDGE = 0.8  # distance of the left edges of two pieces of a column
_INK = 0.35  # of a line, above and below its middle
_NEXT_GAPS = 6  # how many gaps above and below a place show what is usual there
_FULL = 0.85  # width of lines, by that of their column
_NEARER = 0.8  # a distance that is clearly shorter, by another one
_SAME_SIZE = 1.33  # ratio of the heights of two lines
_SAME_PITCH = 1.15  # ratio of the distances of lines


@dataclass(frozen=True, slots=True)
class Band:
    """Columns left and right of `x`, between two heights."""

    x: float
    first: float
    last: float

    @property
    def length(self) -> float:
        """How far the columns reach from top to bottom, in px."""
        return self.last - self.first


@dataclass(frozen=True, slots=True)
class _Piece:
    """The lines on both sides of a gutter between two empty strips, and what they are."""

    left: Stack
    right: Stack
    verdict: Verdict

    @property
    def first(self) -> float:
        return min(self.left.middle[:1] + self.right.middle[:1])

    @property
    def last(self) -> float:
        return max(self.left.middle[-1:] + self.right.middle[-1:])

    @property
    def lines(self) -> int:
        return len(self.left.lines) + len(self.right.lines)


def bands(gutter: Gutter) -> Iterator[Band]:
    """Yield the parts of a gutter that have columns on both sides."""
    run: list[_Piece] = []
    for piece in _pieces(gutter):
        if run and not _continues(run[-1], piece, gutter.edge):
            yield from _band(gutter, _trimmed(gutter, run))
            run = []
        run.append(piece)
    yield from _band(gutter, _trimmed(gutter, run))


def _band(gutter: Gutter, run: list[_Piece]) -> Iterator[Band]:
    """Yield the band of pieces that belong together, if they are columns."""
    columns = sum(piece.lines for piece in run if piece.verdict is Verdict.COLUMNS)
    rows = sum(piece.lines for piece in run if piece.verdict is Verdict.ROWS)
    first, last = run[0].first, run[-1].last
    if not columns and not rows and len(run) > 1:
        together = verdict(gutter.left.part(first, last), gutter.right.part(first, last))
        columns = int(together is Verdict.COLUMNS)
    if columns > rows:
        yield Band(gutter.x, first, last)


def _trimmed(gutter: Gutter, run: list[_Piece]) -> list[_Piece]:
    """Return the pieces without a first or last one that is nearer to a line across the gutter."""
    if len(run) > 1 and run[0].verdict is Verdict.UNDECIDED:
        nearer = run[0].first - gutter.above < _NEARER * (run[1].first - run[0].last)
        run = run[1:] if nearer else run
    if len(run) > 1 and run[-1].verdict is Verdict.UNDECIDED:
        nearer = gutter.below - run[-1].last < _NEARER * (run[-1].first - run[-2].last)
        run = run[:-1] if nearer else run
    return run


def _pieces(gutter: Gutter) -> list[_Piece]:
    """Cut a gutter where there is a wide gap between lines, at both sides."""
    strips: list[list[float]] = []
    for top, bottom in sorted([*_ink(gutter.left), *_ink(gutter.right)]):
        if strips and top <= strips[-1][1]:
            strips[-1][1] = max(strips[-1][1], bottom)
        else:
            strips.append([top, bottom])
    apart = _APART * median(gutter.left.height + gutter.right.height)
    gaps = sorted([*_gaps(gutter.left), *_gaps(gutter.right)])
    cuts = [float("-inf")]
    for (_, end), (top, _) in pairwise(strips):
        gap = top - end
        if gap > apart and gap > _TIMES_APART * _usual_gap(gaps, cuts[-1], end, top):
            cuts.append((top + end) / 2)
    if len(cuts) == 1:
        return [_Piece(gutter.left, gutter.right, verdict(gutter.left, gutter.right))]
    pieces = []
    for first, last in pairwise([*cuts, float("inf")]):
        left, right = gutter.left.part(first, last), gutter.right.part(first, last)
        pieces.append(_Piece(left, right, verdict(left, right)))
    return pieces


def _ink(stack: Stack) -> Iterator[tuple[float, float]]:
    """Yield where the letters of each line begin and end."""
    for y, height in zip(stack.middle, stack.height, strict=True):
        yield y - _INK * height, y + _INK * height


def _gaps(stack: Stack) -> Iterator[tuple[float, float]]:
    """Yield where each gap between two lines of a stack begins and ends."""
    for (_, end), (top, _) in pairwise(_ink(stack)):
        yield end, top


def _usual_gap(gaps: list[tuple[float, float]], cut: float, end: float, top: float) -> float:
    """Return the usual gap above a place, down from the last cut, or below: the lower one."""
    here, after = bisect_left(gaps, (end - 1,)), bisect_left(gaps, (top - 1,))
    above = [
        gap for gap in gaps[max(0, here - _NEXT_GAPS) : here] if cut < gap[0] and gap[1] <= end + 1
    ]
    below = gaps[after : after + _NEXT_GAPS]
    around = [median(last - first for first, last in near) for near in (above, below) if near]
    return min(around, default=0.0)


def _continues(upper: _Piece, lower: _Piece, edge: float) -> bool:
    """Return whether the columns of one piece go on in the next one."""
    height = median(upper.left.height + upper.right.height + lower.left.height + lower.right.height)
    if lower.first - upper.last > _NEAR * height:
        return False
    decided = {upper.verdict, lower.verdict} == {Verdict.COLUMNS, Verdict.ROWS}
    if decided and not _alike(upper, lower):
        return False
    one_sided = not all((upper.left.lines, upper.right.lines, lower.left.lines, lower.right.lines))
    for one, other in ((upper.left, lower.left), (upper.right, lower.right)):
        if not one.lines or not other.lines:
            continue
        at_edge = min(median(one.left), median(other.left)) <= edge + height
        if not at_edge and not _same_edge(one, other, _SAME_EDGE * height):
            return False
        sizes = sorted((median(one.height), median(other.height)))
        if one_sided and sizes[1] > _SAME_SIZE * sizes[0]:
            return False
    return bool(lower.right.lines) or _left_continues(upper, lower)


def _alike(upper: _Piece, lower: _Piece) -> bool:
    """Return whether two pieces have words of one size, although only one looks like columns."""
    pitches = [min(pitch(piece.left), pitch(piece.right)) for piece in (upper, lower)]
    stacks = (upper.left, upper.right, lower.left, lower.right)
    return max(pitches) <= _SAME_PITCH * min(pitches) and min(map(aspect, stacks)) >= RAGGED


def _same_edge(one: Stack, other: Stack, within: float) -> bool:
    """Return whether the usual left edge of a stack is that of some line of the other one."""
    distances = [abs(x - median(other.left)) for x in one.left]
    distances += [abs(x - median(one.left)) for x in other.left]
    return min(distances) <= within


def _left_continues(upper: _Piece, lower: _Piece) -> bool:
    """Return whether lines at the left alone go on with their column.

    They do if the right column has ended before, or if they are as wide as their own.
    """
    if not upper.left.lines or not upper.right.lines:
        return bool(upper.left.lines)
    width = max(upper.left.right) - min(upper.left.left)
    full = max(lower.left.right) - min(lower.left.left) >= _FULL * width
    longer = upper.left.middle[-1] - upper.right.middle[-1] > median(upper.left.height)
    return full or longer
