"""The parts of a column of vertical text, joined."""

import numpy as np
import numpy.typing as npt
import pytest

from model.vision.lines import column_boxes
from model.vision.lines.column_boxes import column_parts, extended, joined
from model.vision.polygon import Numbers, Polygon


def box(left: float, top: float, right: float, bottom: float, degrees: float = 0) -> Polygon:
    """Return a box, leaning around the top left of the page."""
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)
    return (corners @ turn).astype(np.float32)  # type: ignore[no-any-return]


@pytest.mark.parametrize("degrees", [0, 5, -5])
def test_boxes_that_continue_each_other_are_one_column(degrees: float) -> None:
    """The longest one says how it leans; a mark may be further from its end."""
    parts = [box(100, 20, 130, 60, degrees), box(100, 60, 130, 300, degrees)]
    mark, heading = box(108, 320, 120, 332, degrees), box(40, 0, 200, 18, degrees)
    groups = column_parts([*parts, mark, heading], {0, 1, 2})
    assert sorted(map(sorted, groups)) == [[0, 1, 2], [3]]
    expected = box(100, 20, 130, 332, degrees)
    assert joined([parts[1], parts[0], mark]) == pytest.approx(expected, abs=0.1)


def test_columns_beside_and_below_each_other_stay_apart() -> None:
    """Those below have a gap, those beside have another middle."""
    first, beside = box(100, 20, 130, 300), box(135, 20, 165, 300)
    below, title = box(100, 330, 130, 500), box(90, 280, 150, 330)
    groups = column_parts([first, beside, below, title], {0, 1, 2, 3})
    assert sorted(groups) == [[0], [1], [2], [3]]


def test_a_line_that_is_not_sideways_stays_as_it_is() -> None:
    """Even if it touches a column."""
    boxes = [box(100, 20, 130, 300), box(60, 290, 170, 320)]
    assert sorted(column_parts(boxes, {0})) == [[0], [1]]
    assert joined(boxes[1:]) is boxes[1]


def test_a_box_is_extended_in_the_direction_of_its_column() -> None:
    """At both ends."""
    assert extended(box(10, 50, 40, 200, 4), 20) == pytest.approx(box(10, 30, 40, 220, 4), abs=0.1)


def test_each_column_is_compared_with_all_boxes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of a thousand columns costs a thousand comparisons, not their square."""
    calls: list[int] = []
    compare = column_boxes._continues

    def counted(whole: Polygon, parts: Numbers) -> npt.NDArray[np.bool_]:
        calls.append(len(parts))
        return compare(whole, parts)

    monkeypatch.setattr(column_boxes, "_continues", counted)
    boxes = [box(40 * number, 0, 40 * number + 30, 200 + number) for number in range(100)]
    assert len(column_parts(boxes, set(range(100)))) == 100
    assert len(calls) == 100
