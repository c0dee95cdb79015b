"""Page ranges, and dividing a document by what the service says."""

import pytest

from sealed_ocr_client.dividing import Division
from sealed_ocr_client.errors import NotDivisible, Refused, UnusableOption
from sealed_ocr_client.formats import FORMATS
from sealed_ocr_client.page_ranges import PageRanges


@pytest.mark.parametrize(
    ("text", "written"),
    [("1-3,7", "1-3,7"), ("9-", "9-"), ("7, 1-3,2-4", "1-4,7"), ("3-,5-7", "3-"), ("1,2", "1-2")],
)
def test_ranges_in_order_without_overlaps(text: str, written: str) -> None:
    """Whatever the order in which they are written."""
    assert str(PageRanges.parse(text)) == written


@pytest.mark.parametrize("text", ["", "0", "a", "3-1", "1--3", "-3", "1,", "1-3 5", "\u0661"])
def test_other_texts_are_refused(text: str) -> None:
    """And the form is shown."""
    with pytest.raises(UnusableOption, match="1-3,7 or 9-"):
        PageRanges.parse(text)


def test_parts_of_ranges() -> None:
    """Those after a page, the first few, and those of a document whose end is known."""
    ranges = PageRanges.parse("2-4,8-")
    assert str(ranges.after(3)) == "4,8-"
    assert str(ranges.after(10)) == "11-"
    assert str(ranges.first(2)) == "2-3"
    assert str(ranges.first(5)) == "2-4,8-9"
    assert str(ranges.closed_at(9)) == "2-4,8-9"
    assert str(ranges.closed_at(5)) == "2-4"
    assert not PageRanges.parse("2-4").after(4)


def _refused(status: int, code: str, **members: int) -> Refused:
    return Refused(status, {"title": "T", "code": code, **members})


def test_whole_responses_get_smaller_until_one_page() -> None:
    """The pages that were read are lost, so the next request asks for fewer than were read."""
    division = Division(None, 0)
    assert division.query() == {}
    late = _refused(504, "deadline_exceeded", pages_read=3)
    assert division.divide_whole(late, FORMATS["tsv"])
    assert division.query() == {"pages": "1-2"}
    division.end()
    assert division.query() == {"pages": "3-4"}
    assert division.divide_whole(_refused(400, "no_such_page", document_pages=3), FORMATS["tsv"])
    assert division.query() == {"pages": "3"}
    division.end()
    assert not division.left


def test_what_cannot_be_divided() -> None:
    """A format without parts, a page that is slow alone, a page that the caller named wrongly."""
    late = _refused(504, "deadline_exceeded", pages_read=3)
    with pytest.raises(NotDivisible, match="pdf"):
        Division(None, 0).divide_whole(late, FORMATS["pdf"])
    none_read = _refused(504, "deadline_exceeded", pages_read=0)
    assert not Division(None, 0).divide_whole(none_read, FORMATS["tsv"])
    assert not Division(None, 0).divide(none_read)
    for pages in ("9-", "3-9"):
        past = _refused(400, "no_such_page", document_pages=8 if pages == "9-" else 5)
        assert not Division(pages, 0).divide(past)
