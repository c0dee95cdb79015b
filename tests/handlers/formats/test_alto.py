"""ALTO: valid by its schema, and right."""

from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from tests.handlers.formats.pages import (
    EXTENSION_B,
    column_of,
    full_page,
    line_of,
    page_of,
    written,
)

NAMESPACE = "{http://www.loc.gov/standards/alto/ns-v4#}"


@pytest.fixture(scope="module")
def schema() -> Any:
    """Return the schema of ALTO 4.4."""
    return etree.XMLSchema(etree.parse(Path(__file__).parent / "data" / "alto-4-4.xsd"))


def _parsed(*pages: Any) -> Any:
    return etree.fromstring(written("alto", *pages).encode())


def test_it_validates(schema: Any) -> None:
    """With everything there is, on several pages; and an empty page alone."""
    schema.assertValid(_parsed(full_page(1), full_page(2), page_of(number=3)))
    schema.assertValid(_parsed(page_of()))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("WC=", "wc="),
        ('ID="p1_b1"', 'ID="p1"'),
        ("<MeasurementUnit>pixel", "<MeasurementUnit>px"),
        ("<SP/>", "<SP/><SP/>"),
        ('WC="0.7500"', 'WC="1.5"'),
    ],
)
def test_the_schema_sees_faults(old: str, new: str, schema: Any) -> None:
    """Negative control."""
    document = written("alto", full_page())
    assert old in document
    assert not schema.validate(etree.fromstring(document.replace(old, new).encode()))


def _all(root: Any, name: str) -> list[Any]:
    return list(root.iter(NAMESPACE + name))


def _text(line: Any) -> str:
    """Return the text of a TextLine: Strings, and a space for each SP."""
    return "".join(each.get("CONTENT", " ") for each in line if not each.tag.endswith("Shape"))


def test_the_text_is_the_text() -> None:
    """Chinese characters are one String, with a Glyph for each."""
    lines = _all(_parsed(full_page()), "TextLine")
    assert _text(lines[0]) == "Harbour Cafe 海风咖啡馆"
    assert _text(lines[7]) == f'{EXTENSION_B} NA null 1e5 "quoted'
    *_, chinese = _all(lines[0], "String")
    glyphs = _all(chinese, "Glyph")
    assert [glyph.get("CONTENT") for glyph in glyphs] == [*"海风咖啡馆"]
    assert {glyph.get("GC") for glyph in glyphs} == {"0.7500"}
    assert (chinese.get("HPOS"), chinese.get("WIDTH")) == ("140", "100")
    assert not _all(_all(lines[0], "String")[0], "Glyph")


def test_a_blank_line_is_an_empty_string() -> None:
    """With its confidence and its place."""
    (string,) = _all(_parsed(page_of([line_of(None, 10, 40)])), "String")
    assert (string.get("CONTENT"), string.get("WC"), string.get("VPOS")) == ("", "0.5000", "40")


def test_places() -> None:
    """Boxes are within the page; polygons and baselines are as they were found."""
    root = _parsed(full_page())
    for element in root.iter():
        if element.get("HPOS") and element.get("HEIGHT"):
            left, top, width, height = (
                float(element.get(name)) for name in ("HPOS", "VPOS", "WIDTH", "HEIGHT")
            )
            assert 0 <= left <= left + width <= 1000
            assert 0 <= top <= top + height <= 800
    line = _all(_parsed(page_of([line_of("one two", 10, 30)])), "TextLine")[0]
    assert line.get("BASELINE") == "10,46 80,46"
    assert line[0][0].get("POINTS") == "10,30 80,30 80,50 10,50"
    (space,) = _all(line, "SP")
    assert dict(space.attrib) == {"HPOS": "40", "VPOS": "30", "WIDTH": "10"}


@pytest.mark.parametrize(
    ("degrees", "rotation"), [(0, None), (-90, "90"), (180, "180"), (4, "356")]
)
def test_turned_text(degrees: float, rotation: str | None) -> None:
    """By degrees counter-clockwise."""
    line = line_of("a longer line of turned text", 500, 400, degrees=degrees)
    found = _all(_parsed(page_of([line])), "TextBlock")[0].get("ROTATION")
    assert found == rotation or abs(float(found) - float(rotation or 0)) < 0.5


def test_a_column() -> None:
    """It runs from top to bottom."""
    root = _parsed(page_of([column_of("竖排文字", 10, 10)]))
    (line,) = _all(root, "TextLine")
    assert (line.get("BASEDIRECTION"), line.get("BASELINE")) == ("ttb", None)
    (string,) = _all(root, "String")
    assert string[0][0].get("POINTS") == "10,10 30,10 30,90 10,90"


def test_a_table_is_composed_of_its_cells() -> None:
    """Their ids have the row and the column."""
    (table,) = _all(_parsed(full_page()), "ComposedBlock")
    assert table.get("TYPE") == "table"
    assert [(cell.get("ID"), len(cell)) for cell in table] == [
        ("p1_b3_c1_0_0", 1),
        ("p1_b3_c2_0_1", 1),
        ("p1_b3_c3_1_1", 2),
        ("p1_b3_c4_3_2", 1),
    ]


def test_pages_have_their_numbers() -> None:
    """And what read them."""
    root = _parsed(page_of(number=4), page_of(number=6))
    assert [page.get("PHYSICAL_IMG_NR") for page in _all(root, "Page")] == ["4", "6"]
    assert [each.text for each in _all(root, "applicationDescription")] == ["det+rec"]
