"""Whatever lines an engine returns, the file has no fault, and all of their text."""

import io
from dataclasses import replace

import pikepdf
from hypothesis import given, settings
from hypothesis import strategies as st

from model.reader import Line, Word
from tests.handlers.pdf.pages import page, written

POINT = st.tuples(st.integers(-5000, 5000), st.integers(-5000, 5000))
POLYGON = st.tuples(POINT, POINT, POINT, POINT)
TEXT = st.text(st.characters(exclude_categories=["Cs", "Z", "C"]), min_size=1, max_size=4)
EMPTY = page([])


@st.composite
def lines(draw: st.DrawFn) -> Line:
    """Return a line whose words are anywhere."""
    words = draw(st.lists(st.builds(Word, TEXT, POLYGON, st.just(0.5)), max_size=5))
    text = "".join(word.text + draw(st.sampled_from(["", " ", "  "])) for word in words)
    return Line(text.strip(), 0.5, draw(POLYGON), tuple(words))


@settings(max_examples=100)
@given(
    st.lists(lines(), max_size=4),
    st.sampled_from([0, 90, 180, 270]),
    st.floats(-180, 180, allow_subnormal=False),  # a thread that has loaded a network has none
)
def test_any_lines(found: list[Line], rotation: int, skew: float) -> None:
    """No operator is malformed; each line that has a size is shown."""
    data = written(replace(EMPTY, lines=tuple(found), rotation=rotation, skew=skew))
    with pikepdf.open(io.BytesIO(data)) as document:
        assert document.check_pdf_syntax() == []
        operators = pikepdf.parse_content_stream(document.pages[0])
    shown = [each for each in operators if str(each.operator) == "TJ"]
    assert len(shown) >= sum(1 for each in operators if str(each.operator) == "Tm")
