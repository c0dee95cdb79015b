"""Small PDF files that take long to render."""

from bench.pdf_file import assemble


def form_fields(height: int) -> bytes:
    """Return a form with a tree of 2 ** `height` fields: a node is both children of the one above.

    Source: qpdf's test suite, shared-unnamed-field.pdf, 2.5 KB.
    """
    first = 5
    nodes = [
        f"<</Kids[{number + 1} 0 R {number + 1} 0 R]"
        + (f"/Parent {number - 1} 0 R>>" if number > first else ">>")
        for number in range(first, first + height + 1)
    ]
    leaf = f"<</Type/Annot/Subtype/Widget/FT/Tx/T(leaf)/Rect[0 0 1 1]/Parent {first + height} 0 R>>"
    return assemble(
        [
            "<</Type/Catalog/Pages 2 0 R/AcroForm 4 0 R>>",
            "<</Type/Pages/Kids[3 0 R]/Count 1>>",
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]>>",
            "<</Fields[5 0 R]/NeedAppearances true>>",
            *nodes,
            leaf,
        ]
    )


def poster(layers: int, text: str = "POSTER 4711", width: int = 842, height: int = 1191) -> bytes:
    """Return a page with a text on layers that are blended; its time grows with layers x pixels.

    At 200 dpi a layer of the default size (A3) takes 0.7 to 2.5 s.
    """
    layer = f".9 .95 1 rg 0 0 {width} {height} re f "
    content = f"/G gs {layer * layers}/N gs BT /F 40 Tf 20 30 Td 0 g ({text}) Tj ET"
    font = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
    states = "<</G<</ca .5/BM/Luminosity>>/N<</ca 1/BM/Normal>>>>"
    uses = f"/Contents 4 0 R/Resources<</Font<</F {font}>>/ExtGState{states}>>"
    return assemble(
        [
            "<</Type/Catalog/Pages 2 0 R>>",
            "<</Type/Pages/Kids[3 0 R]/Count 1>>",
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {width} {height}]{uses}>>",
            f"<</Length {len(content)}>>stream\n{content}\nendstream",
        ]
    )
