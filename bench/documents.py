"""Documents that a bench draws: images and PDFs of short pages, each with text of its own."""

from itertools import count
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

WORDS = ("account", "amount", "balance", "credit", "debit", "invoice", "item", "number", "order",
         "payment", "quantity", "reference", "statement", "tax", "total", "transfer")  # fmt: skip
WIDTH, LETTERS_PX, STEP_PX, LINES = 560, 24, 46, 5


def draw_page(number: int, lines: int = LINES) -> Image.Image:
    """Return a page of so many lines, the first of which has its number."""
    page = Image.new("RGB", (WIDTH, 50 + lines * STEP_PX), "white")
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(LETTERS_PX)
    for line in range(lines):
        words = [WORDS[(number * 7 + line * 5 + each * 3) % len(WORDS)] for each in range(3)]
        text = f"Page {number}" if not line else f"{' '.join(words)} {number * 31 + line}"
        pen.text((24, 30 + line * STEP_PX), text, "black", font)
    return page


def draw_documents(folder: Path, *, images: int, pdfs: int, pages: int) -> int:
    """Write images of one page, and PDFs of `pages`; return the pages of all."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = count(1)
    for image in range(images):
        draw_page(next(numbers)).save(folder / f"image{image:03}.png")
    for pdf in range(pdfs):
        drawn = [draw_page(next(numbers)) for _ in range(pages)]
        drawn[0].save(
            folder / f"document{pdf:03}.pdf", save_all=True, append_images=drawn[1:], resolution=150
        )
    return images + pdfs * pages
