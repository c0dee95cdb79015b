"""One service and one Chromium for all tests of the page. Chromium trusts the development CA alone.

The fixtures `web_service`, `chromium` and `tab` are for any test that needs a browser.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.system.service import Service, key_stanza
from tests.web.browser import chromium_trusting
from tests.web.documents import Documents

PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)
Tab = Callable[..., Page]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run these tests last: an open Playwright leaves its event loop the running one."""
    items.sort(key=lambda item: Path(__file__).parent in item.path.parents)


class WebService(Service):
    """The service with a key for reading, and one that may read once in three seconds."""

    reader: str
    limited: str


@pytest.fixture(scope="session")
def web_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebService]:
    """The service as shipped, with these two keys."""
    reader, first = key_stanza("aaaa1111", "reader", 'limits = { "/ocr" = "500/minute" }')
    limited, second = key_stanza("bbbb2222", "limited", 'limits = { "/ocr" = "1 per 3 seconds" }')
    with WebService(tmp_path_factory.mktemp("web"), local=first + second) as running:
        running.reader, running.limited = reader, limited
        yield running


@pytest.fixture(scope="session")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Documents:
    """The files that the tests choose."""
    return Documents(tmp_path_factory.mktemp("documents"))


@pytest.fixture(scope="session")
def chromium(
    web_service: WebService, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """A Chromium whose own store of certificates has the development CA; no error is ignored."""
    for program in ("chromium", "certutil"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    with chromium_trusting(web_service.authority, tmp_path_factory.mktemp("home")) as browser:
        yield browser


@pytest.fixture
def tab(chromium: Browser, web_service: WebService) -> Iterator[Tab]:
    """Open the page in a context of its own; fail if it breaks its policy or raises an error."""
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text or "TrustedHTML" in message.text:
            complaints.append(message.text)

    contexts = []

    def open_tab(**options: Any) -> Page:
        size = {"width": 1280, "height": 800}
        context = chromium.new_context(**{"viewport": size, "locale": "en-GB", **options})
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{web_service.url}/")
        return page

    yield open_tab
    for context in contexts:
        context.close()
    assert complaints == []


def give(page: Page, key: str, *files: Path) -> None:
    """Choose files, and enter the key that is asked for."""
    page.set_input_files("#choose", files)
    page.fill("#key-dialog[open] #key-field", key)
    page.keyboard.press("Enter")


def faults(page: Page) -> list[str]:
    """Return what axe finds wrong with the page as it is now."""
    response = Axe().run(page).response
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in response["violations"]]
