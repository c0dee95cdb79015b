"""GET /docs: all of the document, as static HTML in two languages."""

from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from handlers.docs_page.html import inline, joined, tag
from handlers.docs_page.page import rendered
from handlers.docs_page.words import WORDS
from handlers.formats.registry import formats
from handlers.openapi.document import localised
from handlers.openapi.interface import Interface
from handlers.openapi.parameters import PARAMETERS
from tests.handlers.openapi.test_document import function
from tests.handlers.test_api_document import get, stack

pytestmark = pytest.mark.anyio
EMPTY = {"meta", "link"}


class Page(HTMLParser):
    """A page's elements, each of which must be closed where it has to be."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.found.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost element."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Collect the text."""
        self.text += f"{data}\n"

    def attributes(self, name: str) -> list[str]:
        """Return the values of an attribute, in order."""
        return [attributes[name] or "" for _, attributes in self.found if name in attributes]


async def hello(_request: Request) -> Response:
    """Greet <script>alert(1)</script>.

    "Quoted" & more.
    """
    return Response()


@pytest.fixture
def app() -> ASGIApp:
    """Return the app as shipped."""
    return stack().app()


@pytest.mark.parametrize(
    ("query", "headers", "language"),
    [
        (b"", {}, "en"),
        (b"", {"accept_language": "zh-CN"}, "zh"),
        (b"language=zh", {"accept_language": "en"}, "zh"),
        (b"language=en", {"accept_language": "zh"}, "en"),
        (b"language=%00", {"accept_language": "zh"}, "zh"),
    ],
)
async def test_its_language(
    app: ASGIApp, query: bytes, headers: dict[str, str], language: str
) -> None:
    """It is the browser's, unless the switch in the page has chosen one."""
    answer = await get(app, "/docs", query=query, **headers)
    assert (answer.status, answer["content-language"]) == (200, language)
    assert answer["content-type"] == "text/html; charset=utf-8"
    page = Page(answer.body.decode())
    assert page.attributes("lang")[0].startswith(language)
    assert ("识别图像与文档" in page.text) == (language == "zh")


async def test_what_a_browser_may_load(app: ASGIApp) -> None:
    """A style sheet and an icon of the service itself: no script, no form, no other host."""
    answer = await get(app, "/docs")
    policy = {each.strip() for each in answer["content-security-policy"].split(";")}
    assert {"default-src 'none'", "style-src 'self'", "frame-ancestors 'none'"} <= policy
    assert "script-src" not in answer["content-security-policy"]
    page = Page(answer.body.decode())
    assert not {"script", "style", "form", "img", "iframe"} & {name for name, _ in page.found}
    assert not page.attributes("style")
    links = [*page.attributes("href"), *page.attributes("src")]
    assert all(link.startswith(("/", "#", "?")) and not link.startswith("//") for link in links)


async def test_who_has_it_does_not_get_it_again(app: ASGIApp) -> None:
    """Each language has an entity tag."""
    etag = (await get(app, "/docs"))["etag"]
    assert (await get(app, "/docs", if_none_match=etag)).status == 304
    assert (await get(app, "/docs", if_none_match=etag, accept_language="zh")).status == 200


@pytest.mark.parametrize("language", [0, 1])
def test_everything_is_in_it(interface: Interface, language: int) -> None:
    """Functions, parameters, formats, codes, headers; each link leads to something, once."""
    document = localised(interface, language)
    page = Page(rendered(interface, language).body.decode())
    words = set(page.text.split("\n"))
    expected = {
        *document["paths"],
        *PARAMETERS,
        *(each.name for each in formats()),
        *document["components"]["headers"],
        *(name for name, each in document["components"]["schemas"].items() if "properties" in each),
    }
    assert expected - words == {"JsonRequest"}  # its members are those of the form
    codes = {*document["components"]["schemas"]["Code"]["enum"]}
    assert codes - words == {"malformed_forwarding"}  # of proxies
    identifiers = page.attributes("id")
    assert len(identifiers) == len(set(identifiers))
    targets = {link[1:] for link in page.attributes("href") if link.startswith("#")}
    assert targets - set(identifiers) == set()


def test_a_docstring_is_text(interface: Interface) -> None:
    """What a user's function says of itself is escaped."""
    added = function(hello)
    found = rendered(replace(interface, functions=(*interface.functions, added)), 0).body.decode()
    assert "<script" not in found
    assert "Greet &lt;script&gt;alert(1)&lt;/script&gt;" in found
    assert "&quot;Quoted&quot; &amp; more." in found


def test_elements_are_escaped_once() -> None:
    """Text and attributes are, elements inside others are not again."""
    assert (
        tag("p", "<&>", tag("b", "x"), class_='"') == '<p class="&quot;">&lt;&amp;&gt;<b>x</b></p>'
    )
    assert joined("a<", tag("i")) == "a&lt;<i></i>"
    assert inline("a `<b>` c") == "a <code>&lt;b&gt;</code> c"


def test_every_word_is_used(interface: Interface) -> None:
    """And has two languages."""
    asked: set[str] = set()

    class Words(dict[str, str]):
        def __getitem__(self, name: str) -> str:
            asked.add(name)
            return super().__getitem__(name)

    def words(language: int) -> dict[str, str]:
        return Words({name: texts[language] for name, texts in WORDS.items()})

    whole: Any = rendered.__wrapped__
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("handlers.docs_page.page.words", words)
        page = replace(interface, functions=(*interface.functions, function(hello, path="/")))
        whole(replace(page, certificates="optional"), 0)
    assert set(WORDS) == asked
    assert all(all(texts) for texts in WORDS.values())
