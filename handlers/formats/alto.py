"""ALTO XML, version 4.4: the layout and text of pages, as libraries keep it."""

from collections.abc import Iterator, Sequence

from handlers.formats.format import Format
from handlers.writing.alto_line import line_element, place_attributes
from handlers.writing.blocks import paragraphs_of
from handlers.writing.geometry import angle_of, is_column, lines_box
from handlers.writing.xml_writer import XmlWriter
from model.reader import Block, Page, WordMode

_HEAD = """\
<?xml version="1.0" encoding="UTF-8"?>
<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:schemaLocation="http://www.loc.gov/standards/alto/ns-v4# \
http://www.loc.gov/standards/alto/v4/alto-4-4.xsd" SCHEMAVERSION="4.4">
<Description>
<MeasurementUnit>pixel</MeasurementUnit>
<Processing ID="ocr">
<processingCategory>contentGeneration</processingCategory>
<processingSoftware>
<softwareName>Sealed OCR</softwareName>
<applicationDescription>{model}</applicationDescription>
</processingSoftware>
</Processing>
</Description>
<Layout>
"""
_END = "</Layout>\n</alto>\n"


class AltoWriter(XmlWriter):
    """Writes a document with a Page for each page."""

    head = _HEAD
    foot = _END

    def parts(self, page: Page, number: int, place: int) -> Iterator[str]:
        """Yield the page's elements; its place is in their ids, which are unique."""
        return _elements(page, number, f"p{place}")


def _elements(page: Page, number: int, name: str) -> Iterator[str]:
    """Yield a page in parts; the ids of its elements begin with `name`."""
    size = f'WIDTH="{page.width}" HEIGHT="{page.height}"'
    turned = _rotation(page.rotation + page.skew)
    yield f'<Page ID="{name}" PHYSICAL_IMG_NR="{number}" {size} PROCESSINGREFS="ocr"{turned}>\n'
    yield f'<PrintSpace HPOS="0" VPOS="0" {size}>\n'
    for index, block in enumerate(page.blocks, 1):
        yield from _block(page, block, f"{name}_b{index}")
    yield "</PrintSpace>\n</Page>\n"


def _block(page: Page, block: Block, name: str) -> Iterator[str]:
    """Yield a block; that of a table has a block for each cell, with its place in its id."""
    if not block.cells:
        yield from _text_block(page, block.lines, name)
        return
    place = place_attributes(lines_box(page, block.lines))
    yield f'<ComposedBlock ID="{name}" TYPE="table" {place}>\n'
    for index, (cell, lines) in enumerate(zip(block.cells, paragraphs_of(block), strict=True), 1):
        yield from _text_block(page, lines, f"{name}_c{index}_{cell.row}_{cell.column}")
    yield "</ComposedBlock>\n"


def _text_block(page: Page, lines: Sequence[int], name: str) -> Iterator[str]:
    place = place_attributes(lines_box(page, lines))
    first = page.lines[lines[0]]
    turned = "" if is_column(first) else _rotation(angle_of(first.polygon))
    yield f'<TextBlock ID="{name}" {place}{turned}>\n'
    for index in lines:
        yield line_element(page, page.lines[index], f"{name}_l{index + 1}")
    yield "</TextBlock>\n"


def _rotation(clockwise_deg: float) -> str:
    """Return the attribute of what is turned; its value is counter-clockwise."""
    angle = round(-clockwise_deg % 360, 1) % 360
    return f' ROTATION="{angle:g}"' if angle else ""


FORMAT = Format(
    name="alto",
    media_type="application/alto+xml",
    extension="xml",
    title=("ALTO XML", "ALTO XML"),
    description=(
        "ALTO 4.4: blocks, lines and words with polygons and confidences, for archives.",
        "ALTO 4.4：段落、行和单词，带多边形坐标和置信度，用于档案系统。",
    ),
    writer=AltoWriter,
    words=WordMode.WORD,
)
