"""Chromium's own viewer shows the service's PDFs: what is selected on a page is its text."""

import io
import math
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from model.reader import Word
from tests.handlers.pdf.pages import SIDES, UPRIGHT, Turn, page, row
from tests.web.conftest import PATIENCE_MS, WebService

WINDOW = (1000, 800)
# The viewer answers whoever asks for the selected text, and says to them that it has loaded.
VIEWER = b"""<!doctype html><title>viewer</title><body style="margin:0">
<embed type="application/pdf" src="/pdf#toolbar=0&navpanes=0&view=Fit"
  style="width:100vw;height:100vh">
<script>
let asked = 0, answered = 0, loaded = false, text = "";
function ask() {
  asked += 1;
  document.querySelector("embed").postMessage({ type: "getSelectedText" });
}
addEventListener("message", (event) => {
  if (event.data.type === "documentLoaded") loaded = true;
  if (event.data.type === "getSelectedTextReply") {
    answered += 1;
    text = event.data.selectedText;
  }
});
</script>
"""
LINES = [
    row("Invoice number 10086", 200),
    row("合计金额 total amount", 400),
    row("The quick brown fox", 600),
]
Show = Callable[[bytes], Page]


@pytest.fixture
def show(chromium: Browser) -> Iterator[Show]:
    """Show a PDF in a window of its own."""
    shown: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_pdf = self.path == "/pdf"
            content = shown[-1] if is_pdf else VIEWER
            self.send_response(200)
            self.send_header("Content-Type", "application/pdf" if is_pdf else "text/html")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    context = chromium.new_context(viewport={"width": WINDOW[0], "height": WINDOW[1]})
    context.set_default_timeout(PATIENCE_MS)

    def open_pdf(content: bytes) -> Page:
        shown.append(content)
        window = context.new_page()
        window.goto(f"http://127.0.0.1:{server.server_port}/")
        window.wait_for_function("loaded || ask()", polling=100)
        window.wait_for_function("asked === answered")
        return window

    yield open_pdf
    context.close()
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("turn", [UPRIGHT, Turn(90), Turn(skew=4)])
def test_selecting_a_word_selects_that_word(
    turn: Turn, show: Show, web_service: WebService
) -> None:
    """By a double click, on pages that were upright, turned and skewed."""
    headers = {"content-type": "image/jpeg"}
    with web_service.client(key=web_service.reader) as client:
        answer = client.post("/ocr?format=pdf", content=page(LINES, turn).image, headers=headers)
    window = show(answer.content)
    place = _places(window, turn)
    for word in (LINES[0].words[1], LINES[1].words[-1], LINES[2].words[0]):
        window.mouse.dblclick(*place(word))
        assert _selected(window) == word.text
    window.mouse.dblclick(*place(LINES[1].words[2]))
    assert _selected(window) == "合计金额"  # Chinese up to the next space


def _selected(window: Page) -> str:
    """Return the text that is selected in the viewer."""
    window.evaluate("ask()")
    window.wait_for_function("asked === answered")
    return str(window.evaluate("text"))


def _places(window: Page, turn: Turn) -> Callable[[Word], tuple[float, float]]:
    """Return where in the window the middle of a word of the upright page is.

    The page is shown upright and straight, and as much larger as its corners need.
    """
    left, top, right, bottom = _shown(window)
    radians = math.radians(abs(turn.skew))
    width = SIDES[0] * math.cos(radians) + SIDES[1] * math.sin(radians)
    scale = (right - left) / width

    def place(word: Word) -> tuple[float, float]:
        (x, y), _, (end, below), _ = word.polygon
        right_of, under = (x + end - SIDES[0]) / 2, (y + below - SIDES[1]) / 2
        return (left + right) / 2 + scale * right_of, (top + bottom) / 2 + scale * under

    return place


def _shown(window: Page) -> tuple[int, int, int, int]:
    """Return where the page is in the window: what is white, once it is drawn."""
    for _ in range(100):
        with Image.open(io.BytesIO(window.screenshot())) as picture:
            grey = picture.convert("L")
        shades = grey.crop((200, 100, 800, 700)).histogram()
        if any(shades[:80]) and any(shades[200:]):
            box = grey.point(lambda value: 255 * (value > 200)).getbbox()
            if box is not None:
                return box
        window.wait_for_timeout(50)
    raise AssertionError("no page is shown")
