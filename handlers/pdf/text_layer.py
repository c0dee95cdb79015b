"""The invisible text of a page: PDF operators that put each word at its box, in reading order.

ISO 32000-1, section 9.4. One unit is one pixel of the page.
"""

from collections.abc import Iterable, Iterator

from handlers.pdf.font import ASCENT, Font
from handlers.pdf.placement import Placement, placement
from handlers.pdf.text_objects import TextObject, text_objects
from model.reader import Page

_TOLERANCE = 0.03  # of the height: a text that would be off by less is not moved


def text_layer(page: Page, skew: float, font: Font) -> bytes:
    """Return the operators that show the page's text, invisibly.

    `skew`: the clockwise degrees of lines that are straight where the page is shown.
    """
    placed = [
        each for line in page.lines if (each := placement(line, page.rotation, skew)) is not None
    ]
    lines = [_line(each, page.height, font) for each in placed]
    return b"BT 3 Tr\n%bET\n" % b"".join(lines)


def _line(line: Placement, page_height: int, font: Font) -> bytes:
    """Return the operators of a line. In the PDF y points upwards from the page's bottom."""
    (x, y), (right, down) = line.corner, line.along
    size = round(line.height, 1)
    rise = (1 - ASCENT) * size  # from the box's lower side to the baseline
    origin = (x + rise * down, page_height - y + rise * right)
    matrix = " ".join(_number(value, 4) for value in (right, -down, down, right))
    place = " ".join(_number(value, 1) for value in origin)
    shown = b"".join(_shown(text_objects(line), size, font))
    return f"/F {_number(size, 1)} Tf {matrix} {place} Tm".encode() + shown + b"\n"


def _shown(objects: Iterable[TextObject], size: float, font: Font) -> Iterator[bytes]:
    """Yield the operators that show the texts at their places.

    A character is as wide as the font is high, times the horizontal scaling (Tz). TJ has a text's
    codes, and numbers that move the next one to the left, in thousandths of a character's width.
    """
    position = 0.0
    for each in objects:
        percent = _number(max(1.0, 100 * each.unit / size), 1)
        unit = float(percent) / 100 * size
        array, codes = b"", b""
        for text, left in each.texts:
            move = round((position - left) / unit * 1000)
            if abs(move) * unit > _TOLERANCE * size * 1000:
                array += (b"<%b>" % codes if codes else b"") + b"%d" % move
                codes, position = b"", position - move * unit / 1000
            codes += font.encode(text)
            position += unit * len(text)
        yield b" %b Tz[%b<%b>]TJ" % (percent.encode(), array, codes)


def _number(value: float, decimals: int) -> str:
    """Return a number as short as PDF allows it."""
    text = f"{value:.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if decimals else text
    return "0" if text == "-0" else text
