"""The figures of README are those of bench/RESULTS.md."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from scripts.figures import FIGURES, MissingFigure

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "bench" / "RESULTS.md").read_text("utf-8")


@pytest.mark.parametrize("name", FIGURES)
def test_it_is_what_the_results_say(name: str) -> None:
    """`scripts/report` would change nothing, and README shows it."""
    picture = FIGURES[name](PAGE).render()
    assert (ROOT / "docs" / "images" / f"{name}.svg").read_text("utf-8") == picture
    assert f"docs/images/{name}.svg" in (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("name", FIGURES)
def test_it_is_a_picture_for_both_themes(name: str) -> None:
    """Well-formed, with a title, and nothing from elsewhere."""
    picture = FIGURES[name](PAGE).render()
    root = ET.fromstring(picture)  # noqa: S314 - our own file
    assert root.find("{http://www.w3.org/2000/svg}title") is not None
    assert "prefers-color-scheme:dark" in picture
    assert "href" not in picture
    assert "url(" not in picture


@pytest.mark.parametrize("name", FIGURES)
def test_what_is_missing_is_named(name: str) -> None:
    """A table that was renamed, and a row."""
    with pytest.raises(MissingFigure, match="no table"):
        FIGURES[name](PAGE.replace("\n## ", "\n## Former "))
    changed = PAGE.replace("| ours, sealed, sealed-crnn-v2", "| it").replace("| all |", "| sum |")
    with pytest.raises(MissingFigure, match="no row"):
        FIGURES[name](changed)


def test_a_figure_that_has_changed_is_found() -> None:
    """Negative control."""
    changed = PAGE.replace(
        "| ours, sealed, sealed-crnn-v2 | 396 |", "| ours, sealed, sealed-crnn-v2 | 397 |"
    )
    assert FIGURES["latency"](changed).render() != FIGURES["latency"](PAGE).render()
