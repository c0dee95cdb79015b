"""The pages that a request selects."""

import pytest

from model.errors import NoSuchPage, TooManyPages
from model.pages import ALL_PAGES, PageRange, chosen, first_page


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        (ALL_PAGES, [1, 2, 3, 4, 5]),
        ([PageRange(2, 3)], [2, 3]),
        ([PageRange(5, 5), PageRange(1, 2)], [1, 2, 5]),
        ([PageRange(4, None), PageRange(3, 4)], [3, 4, 5]),
    ],
)
def test_each_selected_page_once_in_order(ranges: list[PageRange], expected: list[int]) -> None:
    """Whatever the order and overlap of the ranges."""
    assert chosen(ranges, 5, left=9, limit=9) == expected
    assert first_page(ranges) == expected[0]


@pytest.mark.parametrize("wanted", [PageRange(6, None), PageRange(6, 6), PageRange(4, 6)])
def test_a_page_that_does_not_exist(wanted: PageRange) -> None:
    """Not even the existing part of a range is read."""
    with pytest.raises(NoSuchPage) as refusal:
        chosen([wanted], 5, left=9, limit=9)
    assert refusal.value.pages == 5


def test_no_more_pages_than_are_left() -> None:
    """Earlier uploads of the request count, too; the error has the request's limit."""
    assert chosen(ALL_PAGES, 5, left=5, limit=50) == [1, 2, 3, 4, 5]
    with pytest.raises(TooManyPages) as refusal:
        chosen(ALL_PAGES, 5, left=4, limit=50)
    assert refusal.value.limit == 50
    assert refusal.value.pages == 5


def test_a_giant_number_of_pages_takes_no_time() -> None:
    """A document may claim any number: no list of them is made."""
    with pytest.raises(TooManyPages):
        chosen(ALL_PAGES, 1 << 40, left=50, limit=50)
