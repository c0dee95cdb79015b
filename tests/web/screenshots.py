"""Make the README's pictures of the page again: python -m tests.web.screenshots.

They look best with fonts that the machine's users have, such as Noto Sans.
"""

import io
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Page

from tests.system.service import ROOT, Service
from tests.web.browser import chromium_trusting
from tests.web.documents import RECEIPT

FOLDER = ROOT / "docs" / "images"
FONT = "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc"
MAX_BYTES = 150_000
HEAD = ("日期 Date", "摘要 Description", "金额 Amount", "余额 Balance")
NOTES = (
    "The balance is confirmed as of the date of this statement. Amounts are in yuan.",
    "本明细仅供参考，如有疑问，请联系客户经理。",  # noqa: RUF001 - Chinese punctuation
)
COLUMNS = (100, 320, 690, 940, 1140)
ROW = 44


def statement() -> Image.Image:
    """Draw a statement of account: a title, a ruled table, two notes, and a smudged line."""
    page = Image.new("RGB", (1240, 1500), "white")
    pen = ImageDraw.Draw(page)
    pen.text((470, 90), "账户交易明细", "black", ImageFont.truetype(FONT, 46))
    pen.text((455, 160), "Statement of account", "#333", ImageFont.truetype(FONT, 28))
    body = ImageFont.truetype(FONT, 24)
    entries = [
        (f"2026-11-{day:02}", f"转账 Transfer {day * 7919 % 1000}", f"{day * 123.45:,.2f}",
         f"{9000 + day * 77.7:,.2f}")
        for day in range(1, 15)
    ]  # fmt: skip
    rows = [HEAD, *entries]
    for number, row in enumerate(rows):
        for left, text in zip(COLUMNS, row, strict=False):
            pen.text((left + 12, 268 + ROW * number), text, "black", body)
    bottom = 260 + ROW * len(rows)
    for number in range(len(rows) + 1):
        pen.line((100, 260 + ROW * number, 1140, 260 + ROW * number), "#555", 2)
    for left in COLUMNS:
        pen.line((left, 260, left, bottom), "#555", 2)
    for number, text in enumerate(NOTES):
        pen.text((110, bottom + 60 + 46 * number), text, "black", body)
    smudged = Image.new("RGB", (300, 40), "white")
    ImageDraw.Draw(smudged).text((10, 6), "Ref. Q8O0-l1I7", "#888", ImageFont.truetype(FONT, 22))
    page.paste(smudged.resize((110, 14)).resize((300, 40)), (100, bottom + 190))
    return page.rotate(0.5, fillcolor="white")


def save(page: Page, name: str) -> None:
    """Save a picture of the page with few colours."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    file = FOLDER / name
    picture.quantize(128, dither=Image.Dither.NONE).save(file, optimize=True)
    if file.stat().st_size > MAX_BYTES:
        raise SystemExit(f"{name} has more than {MAX_BYTES} bytes")


def main() -> None:
    """Read two images on the page, one in English and light, one in Chinese and dark."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        drawn = folder / "statement.png"
        statement().save(drawn)
        with (
            Service(folder) as service,
            chromium_trusting(service.authority, folder / "home") as browser,
        ):
            for file, name, locale, dark, marked in (
                (RECEIPT, "page.png", "en-GB", False, 8),
                (drawn, "page-zh-dark.png", "zh-CN", True, 21),
            ):
                page = browser.new_page(viewport={"width": 1280, "height": 800}, locale=locale)
                page.emulate_media(color_scheme="dark" if dark else "light")
                page.goto(f"{service.url}/")
                page.set_input_files("#choose", file)
                page.fill("#key-dialog[open] #key-field", service.key)
                page.keyboard.press("Enter")
                page.locator(".state.done").wait_for()
                page.locator(".line").nth(marked).hover()
                save(page, name)


if __name__ == "__main__":
    main()
