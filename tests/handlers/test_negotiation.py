"""Content negotiation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.negotiation import preferred

MEDIA_TYPES = ("application/json", "text/plain")
LANGUAGES = ("en", "zh")


@pytest.mark.parametrize(
    ("header", "media_type"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/plain", "text/plain"),
        ("TEXT/PLAIN", "text/plain"),
        ("text/*", "text/plain"),
        ("text/plain; charset=utf-8", "text/plain"),
        ("application/json, text/plain", "application/json"),
        ("text/plain;q=0.9, application/json;q=0.1", "text/plain"),
        ("text/plain;q=0.5, */*;q=0.1", "text/plain"),
        ("text/plain;q=0, */*", "application/json"),
        ("application/json;q=0, */*", "text/plain"),
        ("text/html", "application/json"),
        ("text/plain;q=0", "application/json"),
        ("text/plain;q=high", "application/json"),
        ("text/plain;q=nan", "application/json"),
        (";;;,,,q=", "application/json"),
    ],
)
def test_the_preferred_media_type(header: str | None, media_type: str) -> None:
    """The highest quality wins, the more specific range decides, the first offer is the default."""
    assert preferred(header, MEDIA_TYPES) == media_type


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("zh", "zh"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("zh-Hant-TW", "zh"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("de,zh;q=0.5", "zh"),
        ("de", "en"),
        ("*", "en"),
        ("en;q=0.1, *;q=0.5", "zh"),
        ("zhx", "en"),
    ],
)
def test_the_preferred_language(header: str | None, language: str) -> None:
    """Languages match by their primary tag: zh-CN is served by zh."""
    assert preferred(header, LANGUAGES) == language


@given(st.text(), st.lists(st.sampled_from([*MEDIA_TYPES, *LANGUAGES]), min_size=1, unique=True))
def test_any_header_gives_an_offer(header: str, offered: list[str]) -> None:
    """No header raises an error."""
    assert preferred(header, offered) in offered


qualities = st.integers(0, 1000).map(lambda q: q / 1000)


@given(qualities, qualities)
def test_the_higher_quality_wins(json: float, text: float) -> None:
    """In either order; of two equal ones the default wins."""
    ranges = [f"application/json;q={json}", f"text/plain;q={text}"]
    expected = MEDIA_TYPES[1] if text > json else MEDIA_TYPES[0]
    assert preferred(", ".join(ranges), MEDIA_TYPES) == expected
    assert preferred(",".join(reversed(ranges)), MEDIA_TYPES) == expected
