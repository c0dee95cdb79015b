"""How well field cases and labelled pages were read, as figures that can be saved and compared.

Scores are taken after NFKC and without white space. "Lost" is the share of the true
letters that were not read anywhere on the page, so it ignores order; CER does not.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.pages import Page, edit_distance, matched, plain

Json = dict[str, Any]

# A case is right or plausible with at most so many letters lost; right needs a CER, too.
RIGHT_LOST, RIGHT_CER, PLAUSIBLE_LOST = 0.02, 0.05, 0.10
RIGHT, PLAUSIBLE, WRONG, NO_TRUTH = "right", "plausible", "wrong", "no truth"
VERDICTS = (RIGHT, PLAUSIBLE, WRONG, NO_TRUTH)
# Words that stand on the page and not in the truth: a seal's, a watermark's.
ADDED_KINDS = {"stamp-over-text", "watermark-fragments"}


@dataclass(frozen=True)
class Case:
    """A file of the field set, its true lines in reading order, and the status it should get."""

    file: Path
    kind: str
    truth: tuple[str, ...]
    status: int


@dataclass(frozen=True)
class Answer:
    """The lines read from all pages of a file, its status, and the time it took."""

    lines: tuple[str, ...] = ()
    status: int = 200
    ms: float = 0.0
    cpu_ms: float = 0.0


def score_case(case: Case, answer: Answer) -> Json:
    """Return the scores of one case."""
    truth = "".join(plain(line, folded=False) for line in case.truth)
    read = "".join(plain(line, folded=False) for line in answer.lines)
    found: Json = {
        "kind": case.kind,
        "status": answer.status,
        "lines": list(answer.lines),
        "ms": answer.ms,
        "cpu_ms": answer.cpu_ms,
        "lost": None,
        "cer": None,
    }
    if not truth:
        return found | {"verdict": NO_TRUTH if answer.status == case.status else WRONG}
    lost = (Counter(truth) - Counter(read)).total() / len(truth)
    edits = edit_distance(truth, read)
    if case.kind in ADDED_KINDS:
        edits = max(0, edits - max(0, len(read) - len(truth)))
    cer = edits / len(truth)
    verdict = WRONG
    if answer.status == case.status and lost <= PLAUSIBLE_LOST:
        verdict = RIGHT if lost <= RIGHT_LOST and cer <= RIGHT_CER else PLAUSIBLE
    return found | {"lost": lost, "cer": cer, "verdict": verdict}


def score_page(page: Page, answer: Answer) -> Json:
    """Return the scores of one labelled page, case ignored: the labels of receipts are capitals.

    `whole` holds the true lines that were found, `whole_cased` is their number with case kept.
    """
    read = [plain(line, folded=True) for line in answer.lines]
    truths = [plain(label.text, folded=True) for label in page.labels]
    joined = "".join(read)
    cased = "".join(plain(line, folded=False) for line in answer.lines)
    return {
        "status": answer.status,
        "lines": list(answer.lines),
        "ms": answer.ms,
        "cpu_ms": answer.cpu_ms,
        "total": len(truths),
        "whole": [truth for truth in truths if truth in joined],
        "whole_cased": sum(plain(label.text, folded=False) in cased for label in page.labels),
        "edits": sum(edit_distance(*pair) for pair in matched(truths, read)),
        "characters": sum(map(len, truths)),
    }


@dataclass
class Results:
    """The scores of one system: of each case, and of each page of each set."""

    cases: dict[str, Json] = field(default_factory=dict)
    sets: dict[str, dict[str, Json]] = field(default_factory=dict)

    def as_json(self) -> Json:
        """Return what `from_json` takes."""
        return {"cases": self.cases, "sets": self.sets}

    @classmethod
    def from_json(cls, saved: Json) -> "Results":
        """Return saved results."""
        return cls(saved["cases"], saved["sets"])

    def verdicts(self, kind: str) -> Counter[str]:
        """Return how many cases of a kind got each verdict."""
        return Counter(case["verdict"] for case in self.cases.values() if case["kind"] == kind)


def lines_changed(before: Sequence[str], after: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the lines that are only in `before`, and those that are only in `after`."""
    lost, gained = Counter(before), Counter(after)
    return list((lost - gained).elements()), list((gained - lost).elements())
