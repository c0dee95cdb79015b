"""A page to lines, in this process: lines found, rotated, ordered and dropped."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from model.vision.engine import load
from model.vision.inference import Pixels
from model.vision.lines.recogniser import RecognisedText
from model.vision.page import PageReader
from tests.model.images import render_columns, render_line, render_page, render_table

ROWS = [["INVOICE 20831", "PAGE 4"], ["Green tea", "12.50"], ["Black coffee", "3.75"]]


@pytest.fixture(scope="module")
def reader() -> PageReader:
    """Return a loaded reader."""
    parts = {"detector": "ppocrv6-small-det", "recogniser": "ppocrv6-small", "threads": 2}
    # In a thread that ends: loading makes its thread treat denormal floats as zero, which is wrong
    # for other tests.
    with ThreadPoolExecutor(1) as loading:
        return loading.submit(load, parts).result()


def pixels(image: Image.Image) -> Pixels:
    """Return the image's pixels, H x W x 3."""
    return np.asarray(image.convert("RGB"))


def texts(reader: PageReader, image: Image.Image, *, detect: bool = True) -> list[str]:
    """Return the lines' texts without spaces."""
    reading = reader.read(pixels(image), detect=detect, check=lambda: None)
    return [line.text.replace(" ", "") for line in reading.lines]


EXPECTED = [text.replace(" ", "") for row in ROWS for text in row]


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_rotated_page_is_read(reader: PageReader, degrees: int) -> None:
    """Upright, on its side or upside down: the same lines in the same order."""
    assert texts(reader, render_page(ROWS).rotate(degrees, expand=True)) == EXPECTED


def test_a_tilted_page_keeps_its_rows(reader: PageReader) -> None:
    """A tilt of three degrees does not change the order."""
    page = render_page(ROWS).rotate(
        3, expand=True, fillcolor="white", resample=Image.Resampling.BICUBIC
    )
    assert texts(reader, page) == EXPECTED


@pytest.mark.parametrize("degrees", [0, 180])
def test_columns_are_read_one_after_the_other(reader: PageReader, degrees: int) -> None:
    """Each is a block; by rows the page is one block, and they are mixed."""
    left = [
        "The harbour office opened",
        "its reading room Monday",
        "after eleven months. The",
        "long tables are restored",
    ]
    right = [
        "Farmers expect a harvest",
        "that is better than most",
        "Rain fell when we needed",
        "it and the late frost has",
    ]
    page = pixels(render_columns([left, right]).rotate(degrees))
    by_columns = reader.read(page, detect=True, check=lambda: None)
    by_rows = reader.read(page, detect=True, check=lambda: None, by_columns=False)
    assert [line.text for line in by_columns.lines] == [*left, *right]
    assert [len(block.lines) for block in by_columns.blocks] == [4, 4]
    assert [line.text for line in by_rows.lines][:4] == [left[0], right[0], left[1], right[1]]
    assert [len(block.lines) for block in by_rows.blocks] == [8]


@pytest.mark.parametrize("degrees", [0, 3, 90, 180])
def test_a_table_is_read_cell_by_cell(reader: PageReader, degrees: int) -> None:
    """Lines of one cell follow each other, although the next cell is between them on the page."""
    cells = [["Item", "Result"], ["Blood", "slightly raised\nrepeat later"], ["Eyes", "clear"]]
    page = render_table(cells).rotate(
        degrees, expand=True, fillcolor="white", resample=Image.Resampling.BICUBIC
    )
    reading = reader.read(pixels(page), detect=True, check=lambda: None)
    (block,) = reading.blocks
    found = {
        (cell.row, cell.column): "\n".join(reading.lines[line].text for line in cell.lines)
        for cell in block.cells
    }
    assert found == {(r, c): text for r, row in enumerate(cells) for c, text in enumerate(row)}
    assert [line.text for line in reading.lines] == "\n".join(found.values()).split("\n")


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_short_lines_of_a_rotated_page_are_read(reader: PageReader, degrees: int) -> None:
    """So are amounts that look like others upside down."""
    rows = [["Tea", "198.00"], ["Rice", "708.00"], ["Nuts", "66.80"], ["Jam", "0.90"]]
    expected = [text for row in rows for text in row]
    assert texts(reader, render_page(rows).rotate(degrees, expand=True)) == expected


def test_upright_lines_that_may_be_upside_down_are_not_turned(reader: PageReader) -> None:
    """Among lines of words."""
    rows = [["Mode of payment:", "cash"], [">>>> start", "<<<<"], ["x || y && z", "600.00"]]
    found = texts(reader, render_page(rows))
    assert {"600.00", "Modeofpayment:"} <= set(found)
    assert {"<<<<", "くくくく"} & set(found)  # the network takes them for letters


@pytest.mark.parametrize(("degrees", "corner"), [(0, 0), (90, 3), (180, 2), (270, 1)])
def test_a_polygon_starts_where_the_text_starts(
    reader: PageReader, degrees: int, corner: int
) -> None:
    """Clockwise from the top left corner of the text: of the page, if that is upright."""
    page = render_page(ROWS).rotate(degrees, expand=True)
    reading = reader.read(pixels(page), detect=True, check=lambda: None)
    assert (reading.rotation + degrees) % 360 == 0
    assert reading.skew == pytest.approx(0, abs=2)
    for line in reading.lines:
        low, high = line.polygon.min(axis=0), line.polygon.max(axis=0)
        corners = [low, (high[0], low[1]), high, (low[0], high[1])]
        assert line.polygon[0] == pytest.approx(corners[corner], abs=5)
        assert line.polygon[2] == pytest.approx(corners[(corner + 2) % 4], abs=5)


def test_polygons_enclose_their_text(reader: PageReader) -> None:
    """Each is where its text was rendered, clockwise from the top left."""
    page = render_page([["ALPHA", "BETA"]])
    for line, left in zip(
        reader.read(pixels(page), detect=True, check=lambda: None).lines, (40, 420), strict=True
    ):
        top_left, top_right, bottom_right, bottom_left = line.polygon
        assert top_left == pytest.approx([left, 32], abs=14)
        assert top_left[0] < top_right[0]
        assert top_right[1] < bottom_right[1]
        assert bottom_left[0] < bottom_right[0]


def test_a_blank_page_has_no_lines(reader: PageReader) -> None:
    """Neither has a black page or a single pixel."""
    for image in (
        Image.new("RGB", (700, 500), "white"),
        Image.new("RGB", (700, 500), "black"),
        Image.new("RGB", (1, 1), "white"),
    ):
        assert texts(reader, image) == []
        assert texts(reader, image, detect=False) == []


@pytest.mark.parametrize(("difference", "calls"), [(0, 0), (1, 1)])
def test_a_line_of_one_colour_is_not_recognised(
    reader: PageReader, monkeypatch: pytest.MonkeyPatch, difference: int, calls: int
) -> None:
    """The recogniser is called only if a pixel differs."""
    image = pixels(Image.new("RGB", (700, 50), (250, 240, 230))).copy()
    image[20, 20] += np.uint8(difference)
    lines: list[Pixels] = []
    plain = reader.recogniser.recognise

    def recognise(line: Pixels, *, stretch: float = 1.0) -> RecognisedText:
        lines.append(line)
        return plain(line, stretch=stretch)

    monkeypatch.setattr(reader.recogniser, "recognise", recognise)
    reader.read(image, detect=False, check=lambda: None)
    assert len(lines) == calls


def test_without_detection_the_image_is_one_line(reader: PageReader) -> None:
    """Its polygon is the whole image."""
    image = render_line("Serial 48-1516")
    reading = reader.read(pixels(image), detect=False, check=lambda: None)
    (line,) = reading.lines
    assert line.text.replace(" ", "") == "Serial48-1516"
    assert line.polygon[2].tolist() == list(image.size)


def test_an_empty_side_of_an_image_of_one_line_is_not_recognised(
    reader: PageReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The polygon is still the whole image."""
    image = np.pad(
        pixels(render_line("Serial 48-1516")), ((0, 0), (0, 300), (0, 0)), constant_values=255
    )
    widths: list[int] = []
    plain = reader.recogniser.recognise

    def recognise(line: Pixels, *, stretch: float = 1.0) -> RecognisedText:
        widths.append(line.shape[1])
        return plain(line, stretch=stretch)

    monkeypatch.setattr(reader.recogniser, "recognise", recognise)
    (line,) = reader.read(image, detect=False, check=lambda: None).lines
    assert max(widths) < image.shape[1] - 250
    assert line.polygon[2].tolist() == [image.shape[1], image.shape[0]]


def test_a_strip_with_one_line_is_found(reader: PageReader) -> None:
    """Even without surroundings."""
    assert texts(reader, render_line("Serial 48-1516 of 2024 and more", 24)) == [
        "Serial48-1516of2024andmore"
    ]


@pytest.mark.parametrize("size", [(60_000, 20), (20, 60_000), (9_000, 3)])
def test_extreme_strips_are_bounded(reader: PageReader, size: tuple[int, int]) -> None:
    """Strips as long as a format allows are read within limited time and memory."""
    for detect in (True, False):
        assert texts(reader, Image.new("RGB", size, "white"), detect=detect) == []


def test_a_check_that_raises_ends_the_reading(reader: PageReader) -> None:
    """The exception is raised by the reading, and the next page is read."""
    checks = []
    lock = threading.Lock()

    def check() -> None:
        with lock:
            checks.append(1)
        if len(checks) > 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        reader.read(pixels(render_page(ROWS)), detect=True, check=check)
    assert texts(reader, render_page(ROWS)) == EXPECTED
