"""The figures of README: bars, drawn from the tables of bench/RESULTS.md."""

import re
from collections.abc import Mapping, Sequence

from scripts.svg import Drawing, width_of

OURS, PEER = "Sealed OCR", "rapidocr_api"
MEASURED = "with `sealed-crnn-v2`"
WIDTH, LEFT, RIGHT, BAR = 720, 150, 70, 22
NUMBER = re.compile(r"\d+(?:\.\d+)?")

Row = Mapping[str, str]


class MissingFigure(Exception):
    """bench/RESULTS.md has no such table, row or number."""


def table(page: str, heading: str, column: str) -> list[Row]:
    """Return the rows of the first table below a heading that has such a column.

    Raises:
        MissingFigure: there is none.

    """
    section = page.partition(f"{heading}\n")[2].partition("\n#")[0] + "\n"
    for found in re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE):
        lines = [
            [cell.strip() for cell in line.strip("|").split("|")] for line in found.splitlines()
        ]
        if column in lines[0]:
            return [dict(zip(lines[0], line, strict=True)) for line in lines[2:]]
    raise MissingFigure(f"no table with the column {column!r} below {heading!r}")


def row(rows: Sequence[Row], start: str) -> Row:
    """Return the row whose first cell starts so.

    Raises:
        MissingFigure: there is none.

    """
    for each in rows:
        if next(iter(each.values())).startswith(start):
            return each
    raise MissingFigure(f"no row {start!r}")


def numbers(cell: str) -> list[float]:
    """Return the numbers in a cell, such as 2.48 (2.42-2.54)."""
    return [float(found) for found in NUMBER.findall(cell)]


def sheet(title: str, note: str, height: int) -> Drawing:
    """Return a drawing with its title and a note below."""
    drawing = Drawing(WIDTH, height, title)
    drawing.frame(0.5, 0.5, WIDTH - 1, height - 1)
    drawing.text(20, 30, title, "strong", 16)
    drawing.text(20, height - 14, note, "soft", 11.5)
    return drawing


def bar(drawing: Drawing, y: float, share: float, said: str, *, ours: bool) -> None:
    """Draw a bar of a share of the width, with its value after it."""
    long = (WIDTH - LEFT - RIGHT) * share
    drawing.box(LEFT, y, long, BAR, "ours" if ours else "other")
    drawing.text(LEFT + long + 8, y + 16, said, "strong" if ours else "")


def name(drawing: Drawing, y: float, text: str) -> None:
    """Write the name of a bar before it."""
    drawing.text(LEFT - 10, y + 16, text, "end strong" if text == OURS else "end")


def compared(page: str) -> tuple[Row, Row]:
    """Return the rows of the service and of its peer."""
    heading = f"## The service compared with its alternatives, {MEASURED}"
    rows = table(page, heading, "p50 ms alone")
    return row(rows, "ours, sealed, sealed-crnn-v2"), row(rows, "rapidocr_api")


def latency(page: str) -> Drawing:
    """Draw the median time of one receipt."""
    found = [numbers(each["p50 ms alone"])[0] for each in compared(page)]
    drawing = sheet(
        "One receipt at a time, median in milliseconds (less is better)",
        "Sealed OCR with TLS, HTTP/2, key and limits; rapidocr_api over plain HTTP without them.",
        150,
    )
    for number, (system, ms) in enumerate(zip((OURS, PEER), found, strict=True)):
        top = 50 + number * (BAR + 12)
        name(drawing, top, system)
        bar(drawing, top, ms / max(found), f"{ms:,.0f}", ours=system == OURS)
    return drawing


def throughput(page: str) -> Drawing:
    """Draw the images a second at each concurrency."""
    rows = compared(page)
    levels = {"images/s at concurrency 2": "2", "4": "4", "8": "8"}
    found = [[numbers(each[column])[0] for column in levels] for each in rows]
    most = max(map(max, found))
    drawing = sheet(
        "Receipts a second (more is better)",
        "Sent so many at the same time; two shared cores of an Intel Xeon with AVX-512 VNNI.",
        290,
    )
    for place, level in enumerate(levels.values()):
        top = 50 + place * 72
        drawing.text(20, top + 33, f"{level} at a time", "soft", 12)
        for number, system in enumerate((OURS, PEER)):
            value = found[number][place]
            y = top + number * (BAR + 4)
            bar(drawing, y, value / most, f"{value:.2f}", ours=system == OURS)
    legend(drawing, [(OURS, "ours"), (PEER, "other")])
    return drawing


def accuracy(page: str) -> Drawing:
    """Draw how many of the field cases are right."""
    cases = row(table(page, "## Field cases", "now"), "all")
    found = {OURS: numbers(cases["now"]), "rapidocr": numbers(cases["rapidocr"])}
    files = max(map(sum, found.values()))
    drawing = sheet(
        f"{files:.0f} difficult files of users' bug reports",
        "Right: at most 2 % of the letters lost. Plausible: at most 10 %. rapidocr reads no PDF.",
        150,
    )
    colours = {"right": "good", "plausible": "fair", "wrong": "bad", "no known text": "other"}
    for number, (system, counts) in enumerate(found.items()):
        top, left = 50 + number * (BAR + 12), float(LEFT)
        name(drawing, top, system)
        for count, colour in zip([*counts, files - sum(counts)], colours.values(), strict=True):
            wide = (WIDTH - LEFT - RIGHT) * count / files
            if count:
                drawing.box(left, top, wide, BAR, colour)
                drawing.text(left + wide / 2, top + 16, f"{count:.0f}", "middle strong", 12)
            left += wide
    legend(drawing, list(colours.items()))
    return drawing


def legend(drawing: Drawing, entries: Sequence[tuple[str, str]]) -> None:
    """Name colours, at the right of the title's line."""
    x = WIDTH - 20 - sum(width_of(text, 12) + 34 for text, _ in entries)
    for text, colour in entries:
        x += 18
        drawing.box(x, 20, 11, 11, colour)
        drawing.text(x + 16, 30, text, "soft", 12)
        x += 16 + width_of(text, 12)


FIGURES = {"latency": latency, "throughput": throughput, "accuracy": accuracy}
