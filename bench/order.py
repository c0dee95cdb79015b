"""Measures the reading order of boxes drawn at random: `python bench/order.py [--seeds N]`.

Prints, for each kind of page, the share of lines that are followed by the right one, by columns
and row by row, and the ms of processor that a page takes. The pages are those of the tests: as
they are, with boxes that are inexact or missing, and skewed.
"""

import argparse
import random
import sys
import time
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from model.vision.layout.layout import lay_out, one_block
from model.vision.polygon import Polygon
from model.vision.tables.rules import no_rules
from tests.model.vision.layout.box_pages import COLUMNS, ROWS, STATES, BoxPage, as_polygons


def followed(polygons: list[Polygon], seed: int) -> tuple[int, int, float]:
    """Return how many lines are followed by the right one: by columns, row by row; and the ms."""
    shuffled = list(range(len(polygons)))
    random.Random(seed).shuffle(shuffled)  # noqa: S311
    boxes = [polygons[index] for index in shuffled]
    rules, texts = no_rules(boxes), [""] * len(boxes)
    began = time.process_time()
    by_columns = lay_out(boxes, texts, 0, rules)
    ms = (time.process_time() - began) * 1000
    right = []
    for blocks in (by_columns, one_block(boxes, 0)):
        order = [shuffled[index] for block in blocks for index in block.lines]
        right.append(sum(after == before + 1 for before, after in pairwise(order)))
    return right[0], right[1], ms


def main() -> None:
    """Print a row for each kind of page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="pages of each kind and state")
    seeds = parser.parse_args().seeds
    print("| page | lines a page | by columns | row by row | ms |")
    print("| --- | --- | --- | --- | --- |")
    for draw in COLUMNS + ROWS:
        lines = nexts = columns = rows = 0
        total_ms = 0.0
        for seed in range(seeds):
            for state in STATES:
                page = BoxPage(random.Random(seed))  # noqa: S311
                draw(page)
                polygons = as_polygons(page, **state)
                by_columns, by_rows, ms = followed(polygons, seed)
                lines, nexts = lines + len(polygons), nexts + len(polygons) - 1
                columns, rows, total_ms = columns + by_columns, rows + by_rows, total_ms + ms
        pages = seeds * len(STATES)
        print(
            f"| {draw.__name__.replace('_', ' ')} | {lines / pages:.0f} | {columns / nexts:.1%} "
            f"| {rows / nexts:.1%} | {total_ms / pages:.1f} |"
        )


if __name__ == "__main__":
    main()
