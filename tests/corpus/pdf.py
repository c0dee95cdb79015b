"""PDF files from their parts, so that any part may lie."""

import zlib
from collections.abc import Sequence

TEXT = b"BT /F 16 Tf 4 6 Td (Ab 12) Tj ET"
FONT = b"<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
PAGES = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"


def stream(body: bytes, dictionary: bytes = b"", *, packed: bool = False) -> bytes:
    """Return a stream object; `packed` compresses it and says so."""
    if packed:
        body, dictionary = zlib.compress(body, 9), dictionary + b"/Filter/FlateDecode"
    return b"<</Length %d%s>>stream\n%s\nendstream" % (len(body), dictionary, body)


def page(
    contents: bytes, *, box: bytes = b"[0 0 60 24]", resources: bytes = FONT, more: bytes = b""
) -> bytes:
    """Return a page object below object 2; `contents` refers to its stream."""
    return b"<</Type/Page/Parent 2 0 R/MediaBox%s/Contents %s/Resources%s%s>>" % (
        box,
        contents,
        resources,
        more,
    )


def document(
    bodies: Sequence[bytes], *, trailer: bytes = b"", header: bytes = b"%PDF-1.7\n"
) -> bytes:
    """Return a document of these objects, numbered from 1, the first being the catalog."""
    parts, offsets, position = [header], [], len(header)
    for number, body in enumerate(bodies, 1):
        offsets.append(position)
        parts.append(b"%d 0 obj%sendobj\n" % (number, body))
        position += len(parts[-1])
    size = len(bodies) + 1
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return b"".join(
        [
            *parts,
            b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table),
            b"trailer<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n"
            % (size, trailer, position),
        ]
    )


def one_page(
    content: bytes = TEXT,
    *,
    box: bytes = b"[0 0 60 24]",
    resources: bytes = FONT,
    more: bytes = b"",
    catalog: bytes = b"",
    pages: bytes = PAGES,
    objects: Sequence[bytes] = (),
    trailer: bytes = b"",
    header: bytes = b"%PDF-1.7\n",
    packed: bool = False,
) -> bytes:
    """Return a document of one page; `objects` are numbered from 5."""
    return document(
        [
            b"<</Type/Catalog/Pages 2 0 R%s>>" % catalog,
            pages,
            page(b"4 0 R", box=box, resources=resources, more=more),
            stream(content, packed=packed),
            *objects,
        ],
        trailer=trailer,
        header=header,
    )
