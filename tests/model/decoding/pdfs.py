"""Small PDF files: pages with a text, and the objects that a test adds."""

from collections.abc import Sequence

from bench.pdf_file import assemble

FONT = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"


def pdf(
    *texts: str,
    box: str = "[0 0 240 80]",
    catalog: str = "",
    page: str = "",
    objects: Sequence[str] = (),
) -> bytes:
    """Return a document with a page for each text, in one of the 14 standard fonts.

    `catalog` and `page` are added to those dictionaries; `objects` start at 3 + 2 x pages.
    """
    pages = [f"{3 + 2 * number} 0 R" for number in range(len(texts))]
    bodies = [
        f"<</Type/Catalog/Pages 2 0 R{catalog}>>",
        f"<</Type/Pages/Kids[{' '.join(pages)}]/Count {len(texts)}>>",
    ]
    for number, text in enumerate(texts):
        content = f"BT /F 30 Tf 20 30 Td ({text}) Tj ET"
        bodies.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox{box}/Contents {4 + 2 * number} 0 R"
            f"/Resources<</Font<</F {FONT}>>>>{page}>>"
        )
        bodies.append(f"<</Length {len(content)}>>stream\n{content}\nendstream")
    return assemble([*bodies, *objects])


def chinese_pdf(
    text: str, name: str = "STSong-Light", ordering: str = "GB1", encoding: str = "UniGB-UCS2-H"
) -> bytes:
    """Return a page of text in a font that is named but not embedded."""
    content = f"BT /F 30 Tf 20 30 Td <{text.encode('utf-16-be').hex()}> Tj ET"
    collection = f"<</Registry(Adobe)/Ordering({ordering})/Supplement 2>>"
    uses = "/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>"
    of = f"/Encoding/{encoding}/DescendantFonts[6 0 R]"
    return assemble(
        [
            "<</Type/Catalog/Pages 2 0 R>>",
            "<</Type/Pages/Kids[3 0 R]/Count 1>>",
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 80]{uses}>>",
            f"<</Length {len(content)}>>stream\n{content}\nendstream",
            f"<</Type/Font/Subtype/Type0/BaseFont/{name}{of}>>",
            f"<</Type/Font/Subtype/CIDFontType0/BaseFont/{name}/CIDSystemInfo{collection}>>",
        ]
    )
