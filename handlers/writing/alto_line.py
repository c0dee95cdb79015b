"""A line of ALTO XML, with its Strings and the spaces between them."""

from collections.abc import Iterator, Sequence

from handlers.writing.geometry import (
    Box,
    Polygon,
    baseline_of,
    box_of,
    is_column,
    is_turned,
)
from handlers.writing.language import language_of
from handlers.writing.xml_text import xml_text
from model.reader import Line, Page, Word

_Run = list[Word]


def line_element(page: Page, line: Line, name: str) -> str:
    """Return a TextLine.

    A String is what stands between two spaces: Chinese characters are one String, each a Glyph in
    it. A line without text has an empty String: the schema wants one.
    """
    return "".join(_line_parts(page, line, name))


def place_attributes(box: Box) -> str:
    """Return the attributes that say where something is."""
    return f'HPOS="{box.left}" VPOS="{box.top}" WIDTH="{box.width}" HEIGHT="{box.height}"'


def _line_parts(page: Page, line: Line, name: str) -> Iterator[str]:
    place = place_attributes(box_of([line.polygon], page))
    is_upright = is_column(line)
    language = language_of(line.text or "")
    lang = f' LANG="{language}"' if language else ""
    way = ' BASEDIRECTION="ttb"' if is_upright else f' BASELINE="{_baseline(line)}"'
    yield f'<TextLine ID="{name}" {place}{way}{lang}>{_shape(line.polygon)}\n'
    before: Box | None = None
    for number, run in enumerate(_runs(line), 1):
        polygon = _around(run, is_upright=is_upright)
        box = box_of([polygon], page)
        if before is not None:
            yield _space(before, box, is_level=not is_upright and not is_turned(line.polygon))
        yield _string(page, run, polygon, f"{name}_s{number}")
        before = box
    if before is None:
        yield f'<String ID="{name}_s1" {place} CONTENT="" WC="{line.confidence:.4f}"/>\n'
    yield "</TextLine>\n"


def _runs(line: Line) -> Iterator[_Run]:
    """Yield the words that have no space between them."""
    run: _Run = []
    for word, has_space in line.spaced_words():
        run.append(word)
        if has_space:
            yield run
            run = []
    if run:
        yield run


def _string(page: Page, run: _Run, polygon: Polygon, name: str) -> str:
    """Return a String; its confidence is that of its least certain word."""
    place = place_attributes(box_of([polygon], page))
    content = xml_text("".join(word.text for word in run))
    confidence = min(word.confidence for word in run)
    glyphs = "".join(_glyph(page, word) for word in run) if _are_characters(run) else ""
    return (
        f'<String ID="{name}" {place} CONTENT="{content}" WC="{confidence:.4f}">'
        f"{_shape(polygon)}{glyphs}</String>\n"
    )


def _are_characters(run: _Run) -> bool:
    return len(run) > 1 and all(len(word.text) == 1 for word in run)


def _glyph(page: Page, word: Word) -> str:
    place = place_attributes(box_of([word.polygon], page))
    content = xml_text(word.text)
    return (
        f'<Glyph {place} CONTENT="{content}" GC="{word.confidence:.4f}">'
        f"{_shape(word.polygon)}</Glyph>"
    )


def _space(before: Box, after: Box, *, is_level: bool) -> str:
    """Return the space between two boxes; only that of a level line has a place."""
    if not is_level:
        return "<SP/>\n"
    width = max(0, after.left - before.right)
    return f'<SP HPOS="{before.right}" VPOS="{before.top}" WIDTH="{width}"/>\n'


def _around(run: _Run, *, is_upright: bool) -> Polygon:
    """Return the polygon from the first word to the last, in the direction of reading."""
    first, last = run[0].polygon, run[-1].polygon
    if is_upright:
        return first[0], first[1], last[2], last[3]
    return first[0], last[1], last[2], first[3]


def _shape(polygon: Polygon) -> str:
    return f'<Shape><Polygon POINTS="{_points(polygon)}"/></Shape>'


def _baseline(line: Line) -> str:
    return _points([(round(x), round(y)) for x, y in baseline_of(line)])


def _points(points: Sequence[tuple[int, int]]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)
