"""Pages with a watermark, rendered for tests."""

from PIL import Image, ImageChops, ImageDraw

from tests.model.images import render_page

ROWS = [["MINUTES OF MEETING 12"], ["Budget approved: 1,250,000"], ["Next meeting: 7 August"]]


def tilted(grey: int, places: list[tuple[int, int]]) -> Image.Image:
    """Return a page of three lines and, across them, a word at these places."""
    page = render_page(ROWS)
    word = Image.new("L", (230, 44), 255)
    ImageDraw.Draw(word).text((10, 4), "CONFIDENTIAL", grey, font_size=26)
    word = word.rotate(25, expand=True, fillcolor=255)
    over = Image.new("L", page.size, 255)
    for place in places:
        over.paste(word, place, ImageChops.invert(word))
    return ImageChops.darker(page, Image.merge("RGB", (over, over, over)))


TILES = [(60, 10), (280, 20), (500, 90), (30, 130), (250, 130), (470, -20)]
