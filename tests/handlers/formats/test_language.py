"""The language of a text."""

from handlers.writing.language import language_of


def test_the_language_of_a_text() -> None:
    """By its characters."""
    assert [language_of(each) for each in ("合计 TOTAL", "TOTAL 8%", "8.00", "", "\U00020bb7")] == [
        *("zh", "en", None, None, "zh")
    ]
