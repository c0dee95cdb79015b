"""The page in Chromium: files in, and text, image and downloads out."""

import json

from playwright.sync_api import expect

from tests.web.conftest import Tab, WebService, faults, give
from tests.web.documents import Documents

DROP = """(content) => {
  const data = new DataTransfer();
  data.items.add(new File([Uint8Array.from(atob(content), (c) => c.charCodeAt(0))], "dropped.png"));
  document.dispatchEvent(new DragEvent("drop", { dataTransfer: data, cancelable: true }));
}"""


def test_an_image(tab: Tab, web_service: WebService, documents: Documents) -> None:
    """It appears with its lines; a line and its box are marked together, from either side."""
    page = tab()
    assert faults(page) == []
    page.set_input_files("#choose", documents.receipt)
    expect(page.locator("#key-field")).to_be_focused()
    assert faults(page) == []
    page.fill("#key-field", web_service.reader)
    page.keyboard.press("Enter")
    expect(page.locator(".state.done")).to_be_visible()
    lines, boxes = page.locator(".line"), page.locator("polygon")
    expect(lines).to_have_count(boxes.count())
    expect(page.locator("td").first).to_have_text("收据编号")
    expect(page.locator("#quota")).to_contain_text("of 60 requests per minute left")
    assert faults(page) == []
    lines.nth(2).hover()
    expect(boxes.nth(2)).to_have_class("on")
    boxes.nth(1).hover()
    expect(lines.nth(1)).to_have_class("line on")
    lines.nth(2).focus()
    page.keyboard.press("ArrowDown")
    expect(lines.nth(3)).to_be_focused()
    expect(page.locator("polygon.on")).to_have_attribute("data-line", "3")


def test_the_text_is_copied_and_downloaded(
    tab: Tab, web_service: WebService, documents: Documents
) -> None:
    """As text and as JSON, which the service gives once more. Another file is dropped."""
    page = tab(permissions=["clipboard-read", "clipboard-write"])
    give(page, web_service.reader, documents.receipt)
    expect(page.locator(".state.done")).to_be_visible()
    page.click("#copy")
    expect(page.locator("#copy")).to_have_text("Copied")
    copied = page.evaluate("() => navigator.clipboard.readText()")
    for name, suffix in (("text", "txt"), ("json", "json")):
        page.click("summary")
        with page.expect_download() as download:
            page.click(f'[data-format="{name}"]')
        assert download.value.suggested_filename == f"receipt.{suffix}"
        content = download.value.path().read_text("utf-8")
        assert (content if name == "text" else json.loads(content)["text"]) == copied
    page.evaluate(DROP, documents.hostile_base64)
    expect(page.locator(".state.done")).to_have_count(2)
    page.click("[aria-label='Remove dropped.png']")
    expect(page.locator(".file")).to_have_count(1)
    expect(page.locator("#title")).to_be_focused()


def test_a_document_of_twelve_pages(
    tab: Tab, web_service: WebService, documents: Documents
) -> None:
    """Its pages appear while others are read, as pixels that the service has encoded."""
    page = tab()
    give(page, web_service.reader, documents.report)
    expect(page.locator(".line")).to_have_text("Page number 1")
    assert page.locator(".state.reading").is_visible(), "the first page came with the last one"
    expect(page.locator(".state.done")).to_be_visible()
    expect(page.locator("#page-of")).to_have_text("Page 1 of 12")
    for _ in range(11):
        page.click("#next")
    expect(page.locator(".line")).to_have_text("Page number 12")
    assert page.evaluate("() => document.getElementById('picture').src").startswith("blob:")
    assert page.evaluate("() => document.getElementById('picture').decode().then(() => true)")
    page.click("summary")
    with page.expect_download() as download:  # a format that has one page: the one that is shown
        page.click('[data-format="png"]')
    assert download.value.suggested_filename == "report-12.png"
    assert faults(page) == []


def test_a_request_is_cancelled(tab: Tab, web_service: WebService, documents: Documents) -> None:
    """What was read until then stays; the file can be removed."""
    page = tab()
    give(page, web_service.reader, documents.report)
    expect(page.locator(".line")).to_be_visible()
    page.click("#cancel")
    expect(page.locator(".state.cancelled")).to_be_visible()
    expect(page.locator(".line")).to_have_text("Page number 1")
    web_service.logged('"client_left"')
