"""Seals are lifted off the text they cover; nothing else on a page changes."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw

from model.vision.inference import Mask
from model.vision.lines.directions import Direction
from model.vision.lines.line_reading import ReadLine
from model.vision.overprint import lines_below, seal
from model.vision.overprint.lifted import Lifted
from model.vision.overprint.seal_lift import lift_seals
from model.vision.overprint.seal_lines import surer_line
from model.vision.overprint.seal_shape import Hull, Shape, has_middle_in
from model.vision.page import PageReader
from tests.model.images import to_bytes
from tests.model.vision.overprint.seals import BLUE, PURPLE, RED, ROWS, contract, seal_mask, stamp

OVER_TEXT, BESIDE = (230, 40), (520, 60)
GREY = (110, 110, 110)


@pytest.mark.parametrize("colour", [RED, BLUE, PURPLE, GREY])
@pytest.mark.parametrize("kind", ["round", "oval", "square", "frame"])
def test_a_seal_is_lifted_off_the_text(kind: str, colour: tuple[int, int, int]) -> None:
    """What is below it comes back: red, blue, purple, and a grey copy, in each shape."""
    page = contract()
    lifted = lift_seals(stamp(page, seal_mask(kind), OVER_TEXT, colour))
    assert len(lifted.changed) == 1
    difference = np.abs(lifted.pixels.astype(int) - np.asarray(page))
    assert (difference > 90).mean() < 0.004  # some of the grey edges of letters


@pytest.mark.parametrize("degrees", [-20, 12, 45])
def test_a_turned_seal_is_lifted(degrees: int) -> None:
    """A seal is rarely straight."""
    mask = seal_mask("square").rotate(degrees, expand=True)
    assert len(lift_seals(stamp(contract(), mask, (200, 20), RED)).changed) == 1


def test_a_seal_on_coloured_paper_is_lifted() -> None:
    """The paper's own colour is none."""
    page = contract()
    pink = Image.fromarray((np.asarray(page) * (1, 0.85, 0.87)).astype(np.uint8))
    assert len(lift_seals(stamp(pink, seal_mask("round"), OVER_TEXT, RED)).changed) == 1


def test_two_seals_are_lifted() -> None:
    """A company's, and its representative's in another colour."""
    page = stamp(contract(), seal_mask("round", 150), (60, 60), RED)
    page = stamp(Image.fromarray(page), seal_mask("square", 80), (300, 80), BLUE)
    assert len(lift_seals(page).changed) == 2


@pytest.mark.parametrize("colour", [RED, (165, 60, 45)])
def test_a_seal_across_the_rules_of_a_form_is_lifted(colour: tuple[int, int, int]) -> None:
    """In their colour, too, and without the labels around it."""
    mask = seal_mask("round", 180)
    lifted = lift_seals(stamp(form(colour), mask, (300, 20), RED))
    assert len(lifted.changed) == 1
    assert lifted.changed[0].min(0) == pytest.approx([300, 20], abs=8)
    assert lifted.changed[0].max(0) == pytest.approx([480, 200], abs=8)


def form(colour: tuple[int, int, int]) -> Image.Image:
    """Return a form: coloured labels, dark values, and coloured rules between them."""
    page = Image.new("RGB", (760, 300), "white")
    pen = ImageDraw.Draw(page)
    for y, label, value in ((30, "Payee", "Haifeng Trading"), (130, "Amount", "USD 3,200.00")):
        pen.text((40, y), label, colour, font_size=28)
        pen.text((200, y), value, (30, 30, 90), font_size=28)
        pen.line((20, y + 60, 740, y + 60), colour, 3)
    return page


def photographed(page: Image.Image) -> Image.Image:
    """Return a page with the colour noise of a JPEG."""
    return Image.open(io.BytesIO(to_bytes(page, "JPEG", quality=60)))


def heading() -> Image.Image:
    """Return a page with lines in red."""
    page = contract()
    pen = ImageDraw.Draw(page)
    pen.text((40, 2), "PROMISSORY NOTE", RED, font_size=26)
    pen.text((420, 100), "No. 0012345", RED, font_size=26)
    return page


def table(colour: tuple[int, int, int]) -> Image.Image:
    """Return a page with its lines in a coloured grid that touches no letter."""
    page = contract()
    pen = ImageDraw.Draw(page)
    for y in range(20, 300, 60):
        pen.line((20, y, 500, y), colour, 3)
    for x in (20, 500):
        pen.line((x, 20, x, 260), colour, 3)
    return page


def filled(colour: tuple[int, int, int]) -> Image.Image:
    """Return a page with a line on a coloured background, like a table's head or a marker."""
    page = Image.new("RGB", (760, 300), "white")
    ImageDraw.Draw(page).rectangle((30, 80, 330, 210), colour)
    text = np.asarray(contract())
    return Image.fromarray(np.minimum(np.asarray(page), text))


def photo() -> Image.Image:
    """Return a page with a picture beside its lines: many colours and shades."""
    page = contract()
    noise = np.random.default_rng(3).integers(0, 255, (8, 6, 3), np.uint8)
    page.paste(Image.fromarray(noise).resize((180, 230), Image.Resampling.BICUBIC), (500, 30))
    return page


GUARDS: dict[str, Callable[[], Image.Image]] = {
    "no colour": contract,
    "red heading": heading,
    "red table": lambda: table(RED),
    "grey table": lambda: table(GREY),
    "red background": lambda: filled((230, 120, 120)),
    "grey background": lambda: filled((150, 150, 150)),
    "marker": lambda: filled((255, 250, 60)),
    "form": lambda: photographed(form((165, 60, 45))),
    "photo": photo,
    "dark page": lambda: Image.eval(contract(), lambda value: 255 - value),
    "one pixel": lambda: Image.new("RGB", (1, 1)),
    "strip": lambda: contract().crop((0, 30, 760, 40)),
}


@pytest.mark.parametrize("name", GUARDS)
def test_a_page_without_a_seal_is_the_same(name: str) -> None:
    """Not a copy: nothing was changed."""
    pixels = np.asarray(GUARDS[name]().convert("RGB"))
    lifted = lift_seals(pixels)
    assert lifted.pixels is pixels
    assert lifted.changed == []


def test_a_seal_that_covers_nothing_stays() -> None:
    """Its words, or a logo's, may be what the page is about."""
    pixels = stamp(contract(), seal_mask("round"), BESIDE, RED)
    assert lift_seals(pixels).pixels is pixels


def test_on_a_page_without_colour_no_shapes_are_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most pages are black on white: they must cost nothing."""
    searched: list[Mask] = []

    def shapes(mask: Mask, **_: object) -> list[Shape]:
        searched.append(mask)
        return []

    monkeypatch.setattr(seal, "shapes", shapes)
    assert seal.find_outlines(np.asarray(contract().convert("1").convert("RGB"))) == []
    assert not searched
    seal.find_outlines(stamp(contract(), seal_mask("round"), OVER_TEXT, RED))
    assert searched


def test_many_rings_cost_no_more_than_the_largest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of hundreds of outlines only those that may be lifted are compared with others."""
    compared = 0

    def counted(one: Hull, other: Hull) -> bool:
        nonlocal compared
        compared += 1
        return has_middle_in(one, other)

    page = Image.new("RGB", (640, 640), "white")
    for i in range(324):
        x, y = 34 * (i % 18) + 16, 34 * (i // 18) + 16
        ImageDraw.Draw(page).ellipse((x, y, x + 28, y + 28), outline=(200, 20, 20), width=3)
    monkeypatch.setattr(seal, "has_middle_in", counted)
    assert 0 < len(seal.find_outlines(np.asarray(page))) <= 24
    assert compared <= 24 * 324 * 3


def test_the_surer_reading_of_a_line_under_a_seal_is_kept() -> None:
    """A sure one is not read again, and neither is a line elsewhere."""
    box = np.array([[0, 0], [200, 0], [200, 30], [0, 30]], np.float32)
    over = [np.array([[150, -50], [250, -50], [250, 50], [150, 50]], np.int32)]

    def line(text: str, confidence: float) -> ReadLine:
        return ReadLine(text, 0.9, confidence, box, Direction.UPRIGHT)

    sure, doubtful = line("3,200", 0.99), line("3 200", 0.5)
    plain, worse = line("3,200", 0.6), line("3!200", 0.4)

    def fail() -> ReadLine:
        raise AssertionError

    assert surer_line(sure, over, fail) is sure
    assert surer_line(doubtful, [over[0] + 300], fail) is doubtful
    assert surer_line(doubtful, over, lambda: plain) is plain
    assert surer_line(doubtful, over, lambda: worse) is doubtful


@pytest.mark.parametrize("lifted", [True, False])
@pytest.mark.parametrize("colour", [RED, GREY])
def test_text_under_a_seal_is_read(
    reader: PageReader,
    monkeypatch: pytest.MonkeyPatch,
    colour: tuple[int, int, int],
    *,
    lifted: bool,
) -> None:
    """All lines, the amount among them, and nothing of the seal between them.

    Control: with the seal on the page they are not.
    """
    if not lifted:
        monkeypatch.setattr(lines_below, "lift_seals", lambda pixels: Lifted(pixels, []))
    page = stamp(contract(), seal_mask("round"), OVER_TEXT, colour)
    lines = reader.read(page, detect=True, check=lambda: None).lines
    assert ([line.text for line in lines] == [text for row in ROWS for text in row]) is lifted
