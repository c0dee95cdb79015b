"""GET /openapi.json: its language, and its entity tag."""

import json
from pathlib import Path

import pytest
from starlette.types import ASGIApp

from handlers.openapi.document import serialised
from service.middleware_stack import MiddlewareStack, Surroundings
from settings import load_settings
from tests.asgi import Answer, call, scope_of

pytestmark = pytest.mark.anyio
SHIPPED = Path(__file__).parents[2] / "settings.toml"


def stack(**variables: str) -> MiddlewareStack:
    """Return the middleware stack of the shipped settings, with variables in force."""
    settings = load_settings(SHIPPED, {f"OCR_{name}": value for name, value in variables.items()})
    surroundings = Surroundings(
        Path("/none"), write=lambda _line: None, clients=None, development_certificate=False
    )
    return MiddlewareStack(settings, surroundings)


@pytest.fixture
def app() -> ASGIApp:
    """Return the app as shipped."""
    return stack().app()


async def get(
    app: ASGIApp, path: str = "/openapi.json", query: bytes = b"", **headers: str
) -> Answer:
    """Send a request for the document."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return await call(app, scope_of("GET", path, query=query, headers=names))


async def test_it_needs_no_key(app: ASGIApp) -> None:
    """It is JSON, in English, with the origin of the settings."""
    answer = await get(app)
    assert answer.status == 200
    assert (answer["content-type"], answer["content-language"]) == ("application/json", "en")
    assert json.loads(answer.body)["servers"] == [{"url": "https://localhost:8443"}]
    assert answer["vary"] == "Accept-Language"


async def test_it_comes_in_chinese(app: ASGIApp) -> None:
    """With another entity tag."""
    english, chinese = await get(app), await get(app, accept_language="zh-CN,zh;q=0.9")
    assert chinese["content-language"] == "zh"
    summary = json.loads(chinese.body)["paths"]["/ocr"]["post"]["summary"]
    assert summary == "识别图像与文档"
    assert chinese["etag"] != english["etag"]


@pytest.mark.parametrize("form", ["{}", 'W/{}, "other"', '"other", {}', "*"])
async def test_who_has_it_does_not_get_it_again(app: ASGIApp, form: str) -> None:
    """RFC 9110, section 13.1.2: weak comparison, lists, and any."""
    etag = (await get(app))["etag"]
    again = await get(app, if_none_match=form.format(etag))
    assert (again.status, again.body, again["etag"]) == (304, b"", etag)


async def test_who_has_another_one_gets_it(app: ASGIApp) -> None:
    """Also after a change of the settings."""
    assert (await get(app, if_none_match='"other"')).status == 200
    before = (await get(app))["etag"]
    after = await get(stack(LIMITS__PER_KEY="7/minute").app(), if_none_match=before)
    assert after.status == 200
    limits = json.loads(after.body)["paths"]["/ocr"]["post"]["x-limits"]
    assert limits["requests_per_key_of_all_functions"] == "7/minute"


async def test_it_is_made_once(app: ASGIApp) -> None:
    """For each state of the settings and each language."""
    await get(app)
    made = serialised.cache_info().misses
    for _ in range(3):
        await get(app)
    assert serialised.cache_info().misses == made
