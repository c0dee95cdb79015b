"""Hostile PDF files: objects, tables, pages, locks. Source: ISO 32000-1, sections 7.3 to 7.7."""

import hashlib
import struct
from collections.abc import Sequence
from functools import partial

from tests.corpus.entry import (
    BROKEN,
    FOREIGN,
    FORGIVEN,
    MARK,
    READ,
    TOO_LARGE,
    Entry,
)
from tests.corpus.pdf import PAGES, TEXT, document, one_page, page, stream

_CATALOG = b"<</Type/Catalog/Pages 2 0 R>>"
_PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")


def _kids(kids: bytes, count: bytes, *objects: bytes) -> bytes:
    """Return a document whose page tree's root is this; object 3 is a sound page below it."""
    return one_page(pages=b"<</Type/Pages/Kids[%s]/Count %s>>" % (kids, count), objects=objects)


def _deep_tree(depth: int) -> bytes:
    """Return a page tree of one page below so many nodes."""
    nodes = [
        b"<</Type/Pages/Kids[%d 0 R]/Count 1/Parent %d 0 R>>" % (6 + number, 4 + number)
        for number in range(depth)
    ]
    nodes[-1] = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
    return _kids(b"5 0 R", b"1", *nodes)


def _nested(opening: bytes, depth: int, closing: bytes = b"") -> bytes:
    return one_page(catalog=b"/Nested " + opening * depth + closing * depth)


def rc4(key: bytes, data: bytes) -> bytes:
    """Return data in the cipher of old encrypted documents."""
    state, j = list(range(256)), 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    i, j, output = 0, 0, bytearray()
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        output.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(output)


def encrypted(password: bytes) -> bytes:
    """Return a page that opens with this password alone: 7.6.3, revision 2, 40 bits."""
    padded, file_id, permissions = (password + _PADDING)[:32], b"sealed-ocr-tests", -4
    owner = rc4(_md5(padded)[:5], padded)
    key = _md5(padded + owner + struct.pack("<i", permissions) + file_id)[:5]
    user = rc4(key, _PADDING)
    of_object_4 = _md5(key + b"\4\0\0\0\0")[:10]
    guard = b"<</Filter/Standard/V 1/R 2/O<%s>/U<%s>/P %d>>" % (
        owner.hex().encode(),
        user.hex().encode(),
        permissions,
    )
    identity = file_id.hex().encode()
    return one_page(
        rc4(of_object_4, TEXT),
        objects=[guard],
        trailer=b"/Encrypt 5 0 R/ID[<%s><%s>]" % (identity, identity),
    )


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def _guarded(guard: bytes) -> bytes:
    return one_page(objects=[guard], trailer=b"/Encrypt 5 0 R/ID[<00><00>]")


def _packed(
    inside: Sequence[bytes],
    places: Sequence[tuple[int, int, int]],
    *,
    told: int | None = None,
    more: bytes = b"",
    trailer: bytes = b"",
) -> bytes:
    """Return a document with objects 1, 2, ... in an object stream, number 10.

    `places` overrides the table: (object, kind, where); `told` is how many objects it claims.
    """
    heads, offset = b"", 0
    for number, body in enumerate(inside, 1):
        heads += b"%d %d " % (number, offset)
        offset += len(body) + 1
    of_all = b"/Type/ObjStm/N %d/First %d" % (len(inside) if told is None else told, len(heads))
    data = b"%PDF-1.7\n"
    at = len(data)
    data += (
        b"10 0 obj" + stream(heads + b"\n".join(inside), of_all + more, packed=True) + b"endobj\n"
    )
    table = {number: (2, 10, number - 1) for number in range(1, len(inside) + 1)}
    table |= {0: (0, 0, 255), 10: (1, at, 0), 11: (1, len(data), 0)}
    table |= {number: (kind, where, 0) for number, kind, where in places}
    rows = b"".join(struct.pack(">BIB", *table.get(number, (0, 0, 0))) for number in range(12))
    index = b"/Type/XRef/Size 12/W[1 4 1]/Root 1 0 R" + trailer
    start = len(data)
    return data + b"11 0 obj" + stream(rows, index) + b"endobj\nstartxref\n%d\n%%%%EOF\n" % start


_OBJECTS = (_CATALOG, PAGES, page(b"[]"))
_STREAM_LIES = {
    "sound": _packed(_OBJECTS, []),
    "in-itself": _packed(_OBJECTS, [(10, 2, 10)]),
    "in-a-page": _packed(_OBJECTS, [(1, 2, 3)]),
    "of-4g-objects": _packed(_OBJECTS, [], told=0xFFFFFFFF),
    "of-minus-1-objects": _packed(_OBJECTS, [], told=-1),
    "extends-itself": _packed(_OBJECTS, [], more=b"/Extends 10 0 R"),
    "table-before-itself": _packed(_OBJECTS, [], trailer=b"/Prev 9"),
    "table-off-the-end": _packed(_OBJECTS, [], trailer=b"/Prev 999999999999"),
    "objects-in-the-table": _packed(_OBJECTS, [(1, 2, 11), (2, 2, 11)]),
    "objects-everywhere": _packed(_OBJECTS, [(n, 1, 0xFFFFFFFF - n) for n in range(1, 11)]),
}
_BOXES = {
    "1e9": (b"[0 0 1e9 1e9]", FORGIVEN),
    "a-billion": (b"[0 0 1000000000 1000000000]", FORGIVEN),
    "of-300-digits": (b"[0 0 %s %s]" % (b"9" * 300, b"9" * 300), FORGIVEN),
    "14400": (b"[0 0 14400 14400]", READ),
    "2-to-31": (b"[-2147483648 -2147483648 2147483647 2147483647]", FORGIVEN),
    "of-nan": (b"[nan nan nan nan]", FORGIVEN),
    "of-nothing": (b"[0 0 0 0]", FORGIVEN),
    "thin": (b"[0 0 0.0001 24]", FORGIVEN),
    "inside-out": (b"[60 24 0 0]", FORGIVEN),
    "negative": (b"[-60 -24 -120 -48]", FORGIVEN),
    "of-3-numbers": (b"[0 0 60]", FORGIVEN),
    "of-itself": (b"3 0 R", FORGIVEN),
    "strip-wide": (b"[0 0 65535 1]", READ),
    "strip-high": (b"[0 0 1 65535]", READ),
}
_PAGE_LIES = {
    "units-of-75000": b"/UserUnit 75000",
    "units-of-nan": b"/UserUnit nan",
    "turned-by-45": b"/Rotate 45",
    "turned-by-2-to-31": b"/Rotate 2147483647",
    "cropped-away": b"/CropBox[900 900 999 999]",
    "cropped-to-a-billion": b"/CropBox[-1000000000 -1000000000 1000000000 1000000000]",
}
_ACTIONS = {
    "script": b"/OpenAction<</S/JavaScript/JS(app.alert\\(1\\);while\\(true\\){})>>",
    "launch": b"/OpenAction<</S/Launch/F(/bin/sh)/P(-c id)>>",
    "link": b"/OpenAction<</S/URI/URI(http://169.254.169.254/)>>",
    "other-file": b"/OpenAction<</S/GoToR/F(//10.0.0.1/share)/D[0/Fit]>>",
    "itself": b"/OpenAction 5 0 R/Names 6 0 R/Outlines 7 0 R",
    "form-of-xml": b"/AcroForm<</XFA 8 0 R/Fields[]>>/NeedsRendering true",
    "fields-in-themselves": b"/AcroForm<</Fields[9 0 R]/DA(/F 0 Tf)/NeedAppearances true>>",
}
_TARGETS = (
    b"<</S/JavaScript/JS(1)/Next 5 0 R>>",
    b"<</JavaScript 6 0 R/Kids[6 0 R]/Names[(a)5 0 R]>>",
    b"<</First 7 0 R/Last 7 0 R/Next 7 0 R/Parent 7 0 R/Title(x)>>",
    stream(b"<xdp:xdp><template><subform/></template></xdp:xdp>" + MARK),
    b"<</FT/Tx/T(x)/Kids[9 0 R]/Parent 9 0 R/Subtype/Widget/Rect[0 0 9 9]/AP<</N 9 0 R>>>>",
)
_SOUND = one_page()

ENTRIES = (
    *(Entry(f"pdf-box-{name}", partial(one_page, box=box), statuses, "?detect=false")
      for name, (box, statuses) in _BOXES.items()),
    *(Entry(f"pdf-page-{name}", partial(one_page, more=more), FORGIVEN | TOO_LARGE)
      for name, more in _PAGE_LIES.items()),
    *(Entry(f"pdf-opens-{name}", partial(one_page, catalog=catalog, objects=_TARGETS), READ)
      for name, catalog in _ACTIONS.items()),
    *(Entry(f"pdf-object-stream-{name}", partial(bytes, data), FORGIVEN)
      for name, data in _STREAM_LIES.items()),
    Entry("pdf-without-pages", partial(_kids, b"", b"0"), BROKEN),
    Entry("pdf-tree-in-itself", partial(_kids, b"2 0 R", b"1"), FORGIVEN),
    Entry("pdf-tree-in-itself-and-a-page", partial(_kids, b"2 0 R 3 0 R", b"2"), FORGIVEN),
    Entry("pdf-tree-of-a-billion", partial(_kids, b"3 0 R", b"1000000000"), FORGIVEN | TOO_LARGE),
    Entry("pdf-page-a-hundred-thousand-of-a-billion", partial(_kids, b"3 0 R", b"1000000000"),
          FORGIVEN | {400}, "?pages=100000"),
    Entry("pdf-tree-of-minus-1", partial(_kids, b"3 0 R", b"-1"), FORGIVEN),
    Entry("pdf-tree-of-nothing", partial(_kids, b"9 0 R null (x) 2", b"4"), FORGIVEN),
    Entry("pdf-one-page-51-times", partial(_kids, b"3 0 R " * 51, b"51"), TOO_LARGE),
    Entry("pdf-tree-10000-deep", partial(_deep_tree, 10_000), FORGIVEN),
    Entry("pdf-arrays-100000-deep", partial(_nested, b"[", 100_000, b"]"), FORGIVEN),
    Entry("pdf-arrays-never-closed", partial(_nested, b"[", 1_000_000), FORGIVEN),
    Entry("pdf-dictionaries-100000-deep", partial(_nested, b"<</A", 100_000, b">>"), FORGIVEN),
    Entry("pdf-dictionary-in-a-tower", partial(_nested, b"<</A[", 50_000), FORGIVEN),
    Entry("pdf-string-never-closed", partial(_nested, b"(", 100_000), FORGIVEN),
    Entry("pdf-name-of-a-megabyte", lambda: one_page(catalog=b"/" + MARK * 87_382), READ),
    Entry("pdf-encrypted", partial(encrypted, b"secret"), BROKEN),
    Entry("pdf-encrypted-without-password", partial(encrypted, b""), READ),
    Entry("pdf-encrypted-by-a-stranger", partial(_guarded, b"<</Filter/Stranger/V 1>>"), BROKEN),
    Entry("pdf-encryption-unknown", partial(_guarded, b"<</Filter/Standard/V 99/R 99>>"), BROKEN),
    Entry("pdf-encryption-of-garbage", partial(_guarded,
          b"<</Filter/Standard/V 5/R 6/O(%s)/U()/P 9/Length -1>>" % MARK), BROKEN),
    Entry("pdf-encryption-in-itself", partial(_guarded, b"5 0 R"), FORGIVEN),
    Entry("pdf-header-at-1000", lambda: b" " * 1000 + _SOUND, READ),
    Entry("pdf-header-at-2000", lambda: b" " * 2000 + _SOUND, FOREIGN),
    Entry("pdf-header-alone", lambda: b"%PDF-1.7\n", BROKEN),
    Entry("pdf-comment-of-a-megabyte", lambda: b"%PDF-1.7\n%" + MARK * 87_382, BROKEN),
    Entry("pdf-table-before-itself", lambda: one_page(trailer=b"/Prev 9/XRefStm 9"), FORGIVEN),
    Entry("pdf-table-off-the-end", lambda: _SOUND.replace(b"startxref\n", b"startxref\n99999999"),
          FORGIVEN),
    Entry("pdf-table-of-a-billion", lambda: _SOUND.replace(b"0 5\n", b"0 999999999\n"), FORGIVEN),
    Entry("pdf-root-is-a-page", lambda: _SOUND.replace(b"/Root 1", b"/Root 3"), FORGIVEN),
    Entry("pdf-root-is-nowhere", lambda: _SOUND.replace(b"/Root 1", b"/Root 9"), FORGIVEN),
    Entry("pdf-root-is-itself", lambda: document([b"1 0 R"]), BROKEN),
    Entry("pdf-object-zero", lambda: _SOUND.replace(b"/Kids[3 0", b"/Kids[0 0"), FORGIVEN),
    Entry("pdf-length-of-4-gb", lambda: _SOUND.replace(b"/Length ", b"/Length 99999999"), FORGIVEN),
    Entry("pdf-length-is-itself", lambda: _SOUND.replace(b"/Length 3", b"/Length 4 0 R/X 3"),
          FORGIVEN),
    Entry("pdf-without-table", lambda: _SOUND[: _SOUND.index(b"xref")], FORGIVEN),
    Entry("pdf-50000-tables", lambda: _SOUND + b"trailer<</Root 1 0 R>>" * 50_000, FORGIVEN),
)  # fmt: skip
