"""The page in Chromium: recognised text is never HTML, and the key is nowhere but in memory."""

import pytest
from playwright.sync_api import Browser, Error, expect

from tests.web.conftest import Tab, WebService, give
from tests.web.documents import HOSTILE, Documents

STORED = """async () => [
  localStorage.length, sessionStorage.length, document.cookie.length, (await caches.keys()).length,
  (await indexedDB.databases()).length, (await navigator.serviceWorker.getRegistrations()).length,
]"""
HOLDING = "(key) => document.documentElement.outerHTML.includes(key) || location.href.includes(key)"


def test_a_text_that_looks_like_html_is_text(
    tab: Tab, web_service: WebService, documents: Documents
) -> None:
    """It is shown as it was read; nothing of it is loaded or run."""
    page = tab()
    give(page, web_service.reader, documents.hostile)
    expect(page.locator(".line")).to_have_text(HOSTILE)
    assert page.locator("#text img").count() == 0


def test_the_page_could_not_make_html_of_a_text(chromium: Browser, web_service: WebService) -> None:
    """Negative control: the browser refuses what no code of the page does."""
    with chromium.new_page() as page:
        page.goto(f"{web_service.url}/")
        with pytest.raises(Error, match="TrustedHTML"):
            page.evaluate("(text) => { document.body.innerHTML = text }", HOSTILE)


def test_the_key_is_kept_in_memory_alone(
    tab: Tab, web_service: WebService, documents: Documents
) -> None:
    """Not in a store of the browser, the document or the address; it is gone after a reload."""
    page = tab()
    give(page, web_service.reader, documents.receipt)
    expect(page.locator(".state.done")).to_be_visible()
    assert page.evaluate(STORED) == [0] * 6
    assert not page.evaluate(HOLDING, web_service.reader)
    page.reload()
    page.set_input_files("#choose", documents.receipt)
    expect(page.locator("#key-dialog")).to_be_visible()
