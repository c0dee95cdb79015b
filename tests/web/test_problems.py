"""The page in Chromium: what goes wrong, in words, and what can be done about it."""

import json

import pytest
from playwright.sync_api import Page, Route, expect

from tests.web.conftest import Tab, WebService, faults, give
from tests.web.documents import Documents


def _expect_problem(page: Page, title: str, code: str) -> None:
    expect(page.locator("#problem-title")).to_have_text(title)
    expect(page.locator("#problem-code")).to_contain_text(f"Code {code}")
    expect(page.locator("#live")).to_contain_text(f": {title}: ")
    assert faults(page) == []


def test_a_wrong_key(tab: Tab, web_service: WebService, documents: Documents) -> None:
    """It is asked for again, with the reason; with the right one the file is read."""
    page = tab()
    give(page, web_service.reader[:-1] + "_", documents.receipt)
    expect(page.locator("#key-wrong")).to_be_visible()
    assert faults(page) == []
    page.keyboard.press("Escape")
    _expect_problem(page, "The key was not accepted", "not_authenticated")
    page.click("text=Enter a key")
    page.fill("#key-field", web_service.reader)
    page.click("text=Continue")
    expect(page.locator(".state.done")).to_be_visible()
    expect(page.locator("#problem")).to_be_hidden()


def test_no_key(tab: Tab, web_service: WebService, documents: Documents) -> None:
    """Without one nothing is sent; the problem says whom to ask, and one can be entered then."""
    page = tab()
    page.set_input_files("#choose", documents.receipt)
    expect(page.locator("#key-dialog")).to_be_visible()
    page.keyboard.press("Escape")
    _expect_problem(page, "No key was entered", "no_key")
    page.click("text=Enter a key")
    page.fill("#key-field", web_service.reader)
    page.keyboard.press("Enter")
    expect(page.locator(".state.done")).to_be_visible()


def test_too_many_requests(tab: Tab, web_service: WebService, documents: Documents) -> None:
    """The page counts down, and sends the file again by itself."""
    page = tab()
    give(page, web_service.limited, documents.hostile, documents.receipt)
    page.click(".file >> nth=1")
    expect(page.locator("#problem-wait")).to_contain_text("Trying again in")
    _expect_problem(page, "Too many requests", "rate_limited")
    expect(page.locator(".state.done")).to_have_count(2)


def _answer_once(page: Page, **answer: str) -> None:
    """Answer the first reading in the service's place; the service answers those after it.

    The route stays: a request that begins while the browser removes one may fail.
    """
    left = [answer]

    def answer_or_continue(route: Route) -> None:
        if left:
            route.fulfill(**left.pop())  # type: ignore[arg-type]
        else:
            route.continue_()

    page.route("**/ocr?*", answer_or_continue)


def test_the_rest_of_a_document(tab: Tab, web_service: WebService, documents: Documents) -> None:
    """After a stream that ended early, the remaining pages can be read, and join the others."""
    with web_service.client(key=web_service.reader) as client:
        answer = client.post(
            "/ocr?pages=1-2&page_image=jpeg",
            content=documents.report.read_bytes(),
            headers={"accept": "application/x-ndjson", "content-type": "application/pdf"},
        )
    early = {"status": 504, "code": "out_of_time", "pages_read": 2, "next_pages": "3-4"}
    page = tab()
    body = f"{answer.text}{json.dumps(early)}\n"
    _answer_once(page, body=body, content_type="application/x-ndjson")
    give(page, web_service.reader, documents.report)
    _expect_problem(page, "The time ran out before the last page", "out_of_time")
    expect(page.locator("#page-of")).to_have_text("Page 1 of 2")
    page.click("text=Read the remaining pages")
    expect(page.locator("#page-of")).to_have_text("Page 1 of 4")
    expect(page.locator("#problem")).to_be_hidden()


def test_a_file_that_is_too_large(tab: Tab, web_service: WebService, documents: Documents) -> None:
    """It is not sent; the browser can make it smaller, if a person says so."""
    page = tab()
    give(page, web_service.reader, documents.huge)
    _expect_problem(page, "The file is too large", "body_too_large")
    expect(page.locator("#problem-advice")).to_contain_text("the limit is 5 MB")
    page.click("text=Reduce the image and try again")
    expect(page.locator(".line").first).to_contain_text("Large photograph")


def test_a_heic_file_in_chinese(tab: Tab, web_service: WebService, documents: Documents) -> None:
    """The service's own words say what to do, in the browser's language."""
    page = tab(locale="zh-CN", color_scheme="dark")
    expect(page.locator("h2").first).to_have_text("识别图像和文档中的文字")
    assert faults(page) == []
    give(page, web_service.reader, documents.photograph)
    expect(page.locator("#problem-advice")).to_contain_text("HEIC")
    expect(page.locator("#problem-code")).to_contain_text("代码 unsupported_image_type")
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    assert faults(page) == []
    page.click("#language")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("#problem-code")).to_contain_text("Code unsupported_image_type")


def test_no_network(tab: Tab, web_service: WebService, documents: Documents) -> None:
    """It is said, and the file can be sent again when the network is back."""
    page = tab()
    page.context.set_offline(True)
    give(page, web_service.reader, documents.hostile)
    _expect_problem(page, "The service cannot be reached", "network")
    page.context.set_offline(False)
    page.click("text=Try again")
    expect(page.locator(".state.done")).to_be_visible()


@pytest.mark.parametrize("body", ["<html>Log in</html>", "<html>\nLog in</html>\n"])
def test_another_server_answers(
    tab: Tab, web_service: WebService, documents: Documents, body: str
) -> None:
    """It is said, whatever the response is, and the next file is read."""
    page = tab()
    _answer_once(page, body=body)
    give(page, web_service.reader, documents.hostile)
    expect(page.locator("#problem-code")).to_contain_text("bad_answer")
    page.set_input_files("#choose", documents.hostile)
    expect(page.locator(".state.done")).to_be_visible()


def test_a_key_that_cannot_be_sent(tab: Tab, documents: Documents) -> None:
    """It is asked for again, as one that is wrong."""
    page = tab()
    give(page, "密钥", documents.hostile)
    expect(page.locator("#key-wrong")).to_be_visible()


def test_a_narrow_screen(tab: Tab, web_service: WebService, documents: Documents) -> None:
    """At 360 pixels nothing is wider than the screen, and the image stays in sight."""
    page = tab(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    expect(page.get_by_role("button", name="Take a photograph")).to_be_visible()
    assert faults(page) == []
    give(page, web_service.reader, documents.receipt)
    expect(page.locator(".state.done")).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth") == 360
    page.locator(".line").last.scroll_into_view_if_needed()
    expect(page.locator("#picture")).to_be_in_viewport()
    assert faults(page) == []
