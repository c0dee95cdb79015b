"""/docs in Chromium: it fits its window, axe finds nothing, and it loads nothing but its style."""

import pytest
from playwright.sync_api import expect

from tests.web.conftest import Tab, WebService, faults

OPEN = "() => document.querySelectorAll('details').forEach((each) => { each.open = true; })"
TOO_WIDE = """() => [...document.querySelectorAll("body *")]
  .filter((each) => each.getBoundingClientRect().right > innerWidth && !each.closest("pre"))
  .map((each) => each.outerHTML.slice(0, 80))"""


@pytest.mark.parametrize(
    ("width", "options", "title"),
    [
        (360, {"color_scheme": "light", "locale": "zh-CN"}, "识别图像与文档"),
        (1920, {"color_scheme": "dark"}, "Read images and documents"),
    ],
)
def test_docs(
    tab: Tab, web_service: WebService, width: int, options: dict[str, str], title: str
) -> None:
    """On a telephone and a large screen, light and dark, in both languages."""
    page = tab(viewport={"width": width, "height": 800}, **options)
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url.removeprefix(web_service.url)))
    page.goto(f"{web_service.url}/docs")
    expect(page.locator("#recognize .summary")).to_have_text(title)
    assert set(loaded) - {"/assets/icon.svg"} == {"/docs", "/assets/docs.css"}
    assert page.evaluate("document.styleSheets[0].cssRules.length") > 50
    page.evaluate(OPEN)
    assert page.evaluate(TOO_WIDE) == []
    assert faults(page) == []


def test_docs_lead_through_the_service(tab: Tab, web_service: WebService) -> None:
    """From the page to /docs, to an error there, to the other language, and back to the page."""
    page = tab()
    page.goto(f"{web_service.url}/docs")
    page.locator("#recognize summary").last.click()
    page.get_by_role("link", name="too_many_pages").first.click()
    expect(page.locator("code:target")).to_be_in_viewport()
    page.get_by_role("link", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    page.locator("header a[href='/']").click()
    expect(page).to_have_url(f"{web_service.url}/")
