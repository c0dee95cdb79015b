"""The images that are sent, and how many of their lines were read."""

from collections.abc import Sequence
from pathlib import Path

from bench.pages import load_pages, plain

ROOT = Path(__file__).resolve().parent.parent


def load_images(directory: Path | None, take: int) -> dict[str, list[str]]:
    """Return at most `take` images, evenly spread, each with the lines that stand on it.

    A directory holds labels.jsonl; without one it is the example receipt.
    """
    if directory is None:
        truth = (ROOT / "examples" / "receipt.txt").read_text("utf-8").splitlines()
        return {str(ROOT / "examples" / "receipt.png"): [line for line in truth if line.strip()]}
    pages = load_pages(directory)
    step = max(1, len(pages) // take)
    return {
        str(page.image.resolve()): [label.text for label in page.labels]
        for page in pages[::step][:take]
    }


def whole_lines(truth: Sequence[str], read: Sequence[str]) -> int:
    """Return how many of the true lines stand whole in what was read, joined in reading order."""
    joined = "".join(plain(line, folded=True) for line in read)
    return sum(plain(line, folded=True) in joined for line in truth)
