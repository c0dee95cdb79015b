"""Draw the figures of README from the tables of bench/RESULTS.md."""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.figures import FIGURES, MissingFigure


def main() -> None:
    """Write the pictures."""
    parser = argparse.ArgumentParser(prog="report", description=__doc__)
    parser.add_argument("--results", type=Path, default=ROOT / "bench" / "RESULTS.md")
    parser.add_argument("--images", type=Path, default=ROOT / "docs" / "images")
    arguments = parser.parse_args()
    page = arguments.results.read_text("utf-8")
    arguments.images.mkdir(parents=True, exist_ok=True)
    for name, draw in FIGURES.items():
        try:
            picture = draw(page).render()
        except MissingFigure as error:
            parser.error(f"{arguments.results}: {error}")
        file = arguments.images / f"{name}.svg"
        file.write_text(picture, "utf-8")
        print(file)


if __name__ == "__main__":
    main()
