"""Images of a known text, rendered in Pillow's own font."""

import io

from PIL import Image, ImageDraw, ImageFont


def render_line(text: str, size_px: int = 32) -> Image.Image:
    """Return one line of text, black on white, with a small margin."""
    font = ImageFont.load_default(size_px)
    left, top, right, bottom = font.getbbox(text)
    image = Image.new("RGB", (int(right - left) + 16, int(bottom - top) + 16), "white")
    ImageDraw.Draw(image).text((8 - left, 8 - top), text, "black", font)
    return image


def render_page(rows: list[list[str]], size_px: int = 28) -> Image.Image:
    """Return a page with rows of texts, the texts of a row side by side."""
    font = ImageFont.load_default(size_px)
    image = Image.new("RGB", (760, 60 + 60 * len(rows)), "white")
    pen = ImageDraw.Draw(image)
    for index, row in enumerate(rows):
        for column, text in enumerate(row):
            pen.text((40 + 380 * column, 30 + 60 * index), text, "black", font)
    return image


def render_columns(columns: list[list[str]], size_px: int = 24) -> Image.Image:
    """Return a page with columns of running text side by side."""
    font = ImageFont.load_default(size_px)
    image = Image.new("RGB", (760, 60 + 36 * max(map(len, columns))), "white")
    pen = ImageDraw.Draw(image)
    for column, texts in enumerate(columns):
        for index, text in enumerate(texts):
            pen.text((40 + 380 * column, 30 + 36 * index), text, "black", font)
    return image


def render_table(rows: list[list[str]], size_px: int = 28) -> Image.Image:
    """Return a page with a ruled table; lines of a cell are separated by line feeds."""
    font = ImageFont.load_default(size_px)
    image = Image.new("RGB", (760, 80 + 100 * len(rows)), "white")
    pen = ImageDraw.Draw(image)
    for index, row in enumerate(rows):
        for column, text in enumerate(row):
            left, top = 40 + 340 * column, 40 + 100 * index
            pen.rectangle((left, top, left + 340, top + 100), outline="black", width=2)
            pen.text((left + 20, top + 50), text, "black", font, anchor="lm", spacing=12)
    return image


def to_bytes(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """Return the image as a file of this type."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()
