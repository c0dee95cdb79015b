"""The figures of README are those of bench/RESULTS.md."""

import json
import math
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from scripts.figures import FIGURES, MissingFigure
from scripts.panels import Series, draw_dashboard, shown

ROOT = Path(__file__).parents[1]
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "sealed-ocr.json").read_text("utf-8"))
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
    changed = re.sub(r"(\| ours, sealed, sealed-crnn-v2 \| )\d+", r"\g<1>1", PAGE)
    assert FIGURES["latency"](changed).render() != FIGURES["latency"](PAGE).render()


def test_the_dashboard_s_picture_has_every_panel() -> None:
    """As the dashboard is now; `scripts/dashboard.py` draws it."""
    picture = (ROOT / "docs" / "images" / "dashboard.svg").read_text("utf-8")
    written = {each.text for each in ET.fromstring(picture).iter()}  # noqa: S314 - our own file
    assert {panel["title"] for panel in DASHBOARD["panels"]} <= written


def test_panels_are_drawn_from_what_prometheus_answers() -> None:
    """Values, legends, what is missing, and a time at which one series has no value."""
    a, b = [(0.0, 1.0), (60.0, 3.0)], [(0.0, math.nan), (60.0, 4.0)]
    answers: dict[str, list[Series]] = {
        "ready": [({}, [(0.0, 0.0), (60.0, 1.0)])],
        "requests": [({"key": "x<y"}, a), ({"key": ""}, b)],
    }

    def fetch(expression: str) -> list[Series]:
        return next((found for name, found in answers.items() if name in expression), [])

    picture = draw_dashboard(DASHBOARD, fetch, "title").render()
    written = [each.text for each in ET.fromstring(picture).iter()]  # noqa: S314 - our own file
    assert {"yes", "x<y", "no key", "none", "9 /s"} <= set(written)
    assert "nan" not in picture


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (0.5, "percentunit", "50 %"), (2.5e9, "bytes", "2.33 GiB"), (1234567, "Bps", "1.23 MB/s"),
        (0.25, "s", "0.25 s"), (0, "short", "0"), (math.nan, "s", "-"),
    ],
)  # fmt: skip
def test_values_have_their_units(value: float, unit: str, said: str) -> None:
    """As Grafana writes them."""
    assert shown(value, unit) == said
