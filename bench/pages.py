"""Labelled pages, and the scores of what was read from them.

Every score is taken after NFKC and without white space; `folded` ignores case too.
"""

import json
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Label:
    """A line as a person read it; its polygon, x and y in pixels, where one was drawn."""

    text: str
    polygon: tuple[tuple[int, int], ...] | None


@dataclass(frozen=True)
class Page:
    """An image and its labelled lines."""

    image: Path
    labels: tuple[Label, ...]


def load_pages(folder: Path) -> list[Page]:
    """Return the pages that `labels.jsonl` in the folder lists."""
    pages = []
    for record in (folder / "labels.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(record)
        labels = tuple(
            Label(line["text"], tuple(map(tuple, line["polygon"])) if "polygon" in line else None)
            for line in entry["lines"]
        )
        pages.append(Page(folder / entry["image"], labels))
    return pages


def plain(text: str, *, folded: bool) -> str:
    """Return the text as it is compared."""
    text = "".join(unicodedata.normalize("NFKC", text).split())
    return text.casefold() if folded else text


def spaced(text: str, *, folded: bool) -> str:
    """Return the text with each run of white space as one space."""
    text = " ".join(unicodedata.normalize("NFKC", text).split())
    return text.casefold() if folded else text


def edit_distance(one: str, other: str) -> int:
    """Return the least number of insertions, deletions and substitutions (Levenshtein)."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        diagonal, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (a != b))
    return row[-1]


def matched(truths: Sequence[str], answers: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield truths and answers paired one to one, nearest first; what is left over pairs with "".

    Nearest in edit distance per character, so that a short line does not take a long one's place.
    """
    pairs = sorted(
        (edit_distance(truth, answer) / max(1, len(truth), len(answer)), t, a)
        for t, truth in enumerate(truths)
        for a, answer in enumerate(answers)
    )
    free_truths, free_answers = set(range(len(truths))), set(range(len(answers)))
    for distance, t, a in pairs:
        if distance < 1 and t in free_truths and a in free_answers:
            free_truths.remove(t)
            free_answers.remove(a)
            yield truths[t], answers[a]
    yield from ((truths[t], "") for t in free_truths)
    yield from (("", answers[a]) for a in free_answers)


@dataclass
class CropScore:
    """Exact lines and CER over cut-out lines."""

    lines: int = 0
    exact: int = 0
    exact_spaced: int = 0
    edits: int = 0
    characters: int = 0

    def add(self, truth: str, answer: str, *, folded: bool) -> None:
        """Count one line."""
        self.lines += 1
        self.exact_spaced += spaced(truth, folded=folded) == spaced(answer, folded=folded)
        truth, answer = plain(truth, folded=folded), plain(answer, folded=folded)
        self.exact += truth == answer
        self.edits += edit_distance(truth, answer)
        self.characters += len(truth)


@dataclass
class PageScore:
    """Lines found whole, CER and time over pages."""

    pages: int = 0
    lines: int = 0
    whole: int = 0
    edits: int = 0
    characters: int = 0

    def add(self, page: Page, answers: Sequence[str], *, folded: bool) -> None:
        """Count one page, its answers in reading order."""
        truths = [plain(label.text, folded=folded) for label in page.labels]
        read = [plain(answer, folded=folded) for answer in answers]
        joined = "".join(read)
        self.pages += 1
        self.lines += len(truths)
        self.whole += sum(truth in joined for truth in truths)
        self.edits += sum(edit_distance(*pair) for pair in matched(truths, read))
        self.characters += sum(map(len, truths))


def share(part: int, whole: int) -> str:
    """Return part / whole in percent."""
    return f"{100 * part / max(1, whole):.1f} %"
