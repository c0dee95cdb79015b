"""The panels of a Grafana dashboard, drawn from what Prometheus answers to their expressions."""

import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scripts.svg import Drawing, width_of

UNIT_PX, COLUMN_PX, GAP, MARGIN = 27, 47, 8, 12
COLUMNS, COLOURS = 24, 8
GRID = 3
LEFT, TOP, BOTTOM = 52, 30, 44
BINARY = 1024

Series = tuple[Mapping[str, str], Sequence[tuple[float, float]]]
Fetch = Callable[[str], Sequence[Series]]
Panel = Mapping[str, Any]
Place = tuple[float, float, float, float]


def draw_dashboard(dashboard: Mapping[str, Any], fetch: Fetch, title: str) -> Drawing:
    """Return a picture of the panels; `fetch` returns the series of an expression."""
    panels = dashboard["panels"]
    units = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    width, height = COLUMNS * COLUMN_PX + 2 * MARGIN, units * UNIT_PX + 2 * MARGIN
    drawing = Drawing(width, height, title)
    drawing.frame(0.5, 0.5, width - 1, height - 1)
    for panel in panels:
        at = panel["gridPos"]
        place = (
            MARGIN + at["x"] * COLUMN_PX + GAP / 2,
            MARGIN + at["y"] * UNIT_PX + GAP / 2,
            at["w"] * COLUMN_PX - GAP,
            at["h"] * UNIT_PX - GAP,
        )
        KINDS[panel["type"]](drawing, panel, place, fetch)
    return drawing


def draw_row(drawing: Drawing, panel: Panel, place: Place, _fetch: Fetch) -> None:
    """Write the title of a row."""
    drawing.text(place[0] + 2, place[1] + 15, panel["title"], "strong", 14)


def draw_stat(drawing: Drawing, panel: Panel, place: Place, fetch: Fetch) -> None:
    """Write the newest value, large."""
    x, y, width, height = place
    drawing.frame(*place)
    drawing.text(x + 10, y + 20, panel["title"], "soft", 12)
    found = fetch(panel["targets"][0]["expr"])
    value = found[0][1][-1][1] if found else math.nan
    defaults = panel["fieldConfig"]["defaults"]
    said = shown(value, defaults["unit"], defaults.get("decimals"))
    for mapping in defaults.get("mappings", ()):
        said = mapping["options"].get(f"{value:.0f}", {"text": said})["text"]
    drawing.text(
        x + width / 2, y + height / 2 + 26, said, f"middle strong {hue(value, defaults)}", 30
    )


def hue(value: float, defaults: Mapping[str, Any]) -> str:
    """Return the class of the colour of a value, by the panel's thresholds."""
    colour = ""
    for step in defaults.get("thresholds", {}).get("steps", ()):
        if step["value"] is None or value >= step["value"]:
            colour = step["color"]
    return colour


def draw_series(drawing: Drawing, panel: Panel, place: Place, fetch: Fetch) -> None:
    """Draw lines, or areas on top of each other, with their axes and their legend."""
    x, y, width, height = place
    drawing.frame(*place)
    drawing.text(x + 10, y + 20, panel["title"], "strong", 12.5)
    found = [
        (legend_of(target["legendFormat"], labels), points)
        for target in panel["targets"]
        for labels, points in fetch(target["expr"])
        if any(value > 0 for _, value in points)
    ]
    stacked = panel["fieldConfig"]["defaults"]["custom"]["stacking"]["mode"] == "normal"
    lines = stack([points for _, points in found]) if stacked else [
        [(at, 0.0, value) for at, value in points if not math.isnan(value)] for _, points in found
    ]  # fmt: skip
    inner = (x + LEFT, y + TOP, width - LEFT - 12, height - TOP - BOTTOM)
    plot(drawing, lines, inner, panel["fieldConfig"]["defaults"]["unit"], stacked=stacked)
    draw_legend(drawing, [name for name, _ in found], x + 10, y + height - 8, width - 20)


def stack(
    series: Sequence[Sequence[tuple[float, float]]],
) -> list[list[tuple[float, float, float]]]:
    """Return each series as (time, bottom, top), on top of those before it."""
    height: dict[float, float] = {}
    stacked = []
    for points in series:
        line = []
        for at, value in points:
            bottom = height.get(at, 0.0)
            height[at] = bottom + (0.0 if math.isnan(value) else value)
            line.append((at, bottom, height[at]))
        stacked.append(line)
    return stacked


def plot(
    drawing: Drawing,
    lines: Sequence[Sequence[tuple[float, float, float]]],
    place: Place,
    unit: str,
    *,
    stacked: bool,
) -> None:
    """Draw the axes, and each line of (time, bottom, top)."""
    x, y, width, height = place
    times = [at for line in lines for at, _, _ in line]
    most = nice(max((top for line in lines for _, _, top in line), default=0) or 1)
    for number in range(GRID + 1):
        at_y = y + height * (1 - number / GRID)
        drawing.rule(x, at_y, x + width, at_y)
        drawing.text(x - 6, at_y + 4, shown(most * number / GRID, unit), "end soft", 10.5)
    if not times:
        drawing.text(x + width / 2, y + height / 2, "none", "middle soft", 12)
        return
    start, end = min(times), max(times)
    for number in range(4):
        at = start + (end - start) * (number + 0.5) / 4
        said = time.strftime("%H:%M:%S", time.gmtime(at))
        drawing.text(x + width * (number + 0.5) / 4, y + height + 15, said, "middle soft", 10.5)

    def spot(at: float, value: float) -> tuple[float, float]:
        return x + width * (at - start) / max(1.0, end - start), y + height * (1 - value / most)

    for number, line in enumerate(lines):
        colour = f"c{number % COLOURS}"
        tops = [spot(at, top) for at, _, top in line]
        if stacked:
            drawing.area([*tops, *(spot(at, low) for at, low, _ in reversed(line))], colour)
        else:
            drawing.line(tops, colour)


def draw_legend(drawing: Drawing, names: Sequence[str], x: float, y: float, width: float) -> None:
    """Name the colours in one line, as many as it holds."""
    left = x
    for number, name in enumerate(names):
        needed = width_of(name, 11) + 26
        if left + needed > x + width:
            drawing.text(left, y, f"and {len(names) - number} more", "soft", 11)
            return
        drawing.box(left, y - 9, 10, 10, f"c{number % COLOURS}")
        drawing.text(left + 14, y, name, "soft", 11)
        left += needed


def legend_of(form: str, labels: Mapping[str, str]) -> str:
    """Return a legend with the values of labels in it."""
    said = re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), form).strip()
    return said or "no key"


def nice(value: float) -> float:
    """Return the next number that is 1, 1.5, 2, 3, 4.5, 6 or 9 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 1.5, 2, 3, 4.5, 6, 9, 12) if step * power >= value)


def shown(value: float, unit: str, decimals: int | None = None) -> str:
    """Return a value in a unit of Grafana's."""
    if math.isnan(value):
        return "-"
    if unit == "percentunit":
        return f"{value * 100:.{decimals or 0}f} %"
    step, names = (
        (BINARY, ("", "Ki", "Mi", "Gi")) if unit == "bytes" else (1000, ("", "k", "M", "G"))
    )
    names_at = 0
    while value >= step and names_at < len(names) - 1:
        value, names_at = value / step, names_at + 1
    ends = {"bytes": "B", "Bps": "B/s", "reqps": "/s", "s": "s"}
    number = f"{value:.{decimals}f}" if decimals is not None else f"{value:.3g}"
    return f"{number} {names[names_at]}{ends.get(unit, '')}".rstrip()


KINDS = {"row": draw_row, "stat": draw_stat, "timeseries": draw_series}
