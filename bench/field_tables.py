"""The tables of bench/field.py."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from bench.field_scores import NO_TRUTH, PLAUSIBLE, RIGHT, VERDICTS, WRONG, Results, lines_changed
from bench.figures import table
from bench.pages import share

Json = dict[str, Any]
_HEAD = ["pages", "lines", "whole", "case kept", "CER", "ms", "CPU ms"]


def print_all(systems: Mapping[str, Results], *, before: Results | None) -> None:
    """Print the tables of all systems, the first one's cases one by one, and what has changed."""
    ours = next(iter(systems.values()))
    print_kinds(systems)
    print_cases(systems)
    print_sets(systems)
    if before is not None:
        print_changes(before, ours)


def print_kinds(systems: Mapping[str, Results]) -> None:
    """Print how many cases of each kind are right, plausible and wrong."""
    kinds = {case["kind"]: None for results in systems.values() for case in results.cases.values()}
    rows = [
        [kind, *(_verdicts(results.verdicts(kind)) for results in systems.values())]
        for kind in kinds
    ]
    totals = {
        name: Counter(case["verdict"] for case in results.cases.values())
        for name, results in systems.items()
    }
    if rows:
        rows.append(["all", *map(_verdicts, totals.values())])
        print(table(["kind: right/plausible/wrong", *systems], rows) + "\n")


def print_cases(systems: Mapping[str, Results]) -> None:
    """Print each case: its status, the share of letters lost, the CER and the verdict."""
    files = {file: None for results in systems.values() for file in results.cases}
    rows = []
    for file in files:
        cells = [results.cases[file] for results in systems.values() if file in results.cases]
        rows.append([file, cells[0]["kind"], *map(_case, cells)])
    if rows:
        print(table(["file", "kind", *systems], rows) + "\n")


def print_sets(systems: Mapping[str, Results]) -> None:
    """Print the scores of each set of pages and the time of a page; of the cases only the time."""
    rows = []
    for name, results in systems.items():
        for title, pages in results.sets.items():
            rows.append([title, name, *_totals(pages.values())])
        if read := [case for case in results.cases.values() if case["status"] == 200]:  # noqa: PLR2004
            rows.append(["field", name, str(len(read)), "", "", "", "", *_times(read)])
    print(table(["set", "system", *_HEAD], rows) + "\n")


def print_changes(before: Results, after: Results) -> None:
    """Print what is better and worse than in saved results, for the files that are in both."""
    rows = [
        [file, now["kind"], _case(was), _case(now)]
        for file, was, now in _common(before.cases, after.cases)
        if _case(was) != _case(now)
    ]
    print(table(["changed case", "kind", "before", "after"], rows) + "\n")
    rows = []
    for name in before.sets.keys() & after.sets.keys():
        pairs = _common(before.sets[name], after.sets[name])
        rows += [[name, "before", *_totals(was for _, was, _ in pairs)]]
        rows += [[name, "after", *_totals(now for _, _, now in pairs)]]
    if pairs := _common(before.cases, after.cases):
        blank, count = [""] * 4, str(len(pairs))
        rows += [["field", "before", count, *blank, *_times([was for _, was, _ in pairs])]]
        rows += [["field", "after", count, *blank, *_times([now for _, _, now in pairs])]]
    print(table(["set", "", *_HEAD], rows) + "\n")
    for name in before.sets.keys() & after.sets.keys():
        for file, was, now in _common(before.sets[name], after.sets[name]):
            lost, gained = lines_changed(was["whole"], now["whole"])
            print("".join(f"- {name}/{file}: {line}\n" for line in lost), end="")
            print("".join(f"+ {name}/{file}: {line}\n" for line in gained), end="")


def _common(before: dict[str, Json], after: dict[str, Json]) -> list[tuple[str, Json, Json]]:
    """Return the files that are in both, with the scores in each."""
    return [(file, before[file], after[file]) for file in before if file in after]


def _verdicts(found: Counter[str]) -> str:
    """Return "right/plausible/wrong", and the number of cases without a truth."""
    known = "/".join(str(found[verdict]) for verdict in (RIGHT, PLAUSIBLE, WRONG))
    return known + (f" ({found[NO_TRUTH]} {NO_TRUTH})" if found[NO_TRUTH] else "")


def _case(case: Json) -> str:
    """Return a case's scores in one cell."""
    if case["verdict"] not in VERDICTS or case["lost"] is None:
        return f"{case['verdict']}, {case['status']}, {len(case['lines'])} lines"
    status = "" if case["status"] == 200 else f"{case['status']}, "  # noqa: PLR2004
    return (
        f"{status}lost {100 * case['lost']:.1f}, CER {100 * case['cer']:.1f}, **{case['verdict']}**"
    )


def _totals(pages: Iterable[Json]) -> list[str]:
    """Return the cells of a set's row."""
    pages = list(pages)
    total = sum(page["total"] for page in pages)
    whole = sum(len(page["whole"]) for page in pages)
    return [
        str(len(pages)),
        str(total),
        f"{whole} ({share(whole, total)})",
        share(sum(page["whole_cased"] for page in pages), total),
        share(sum(page["edits"] for page in pages), sum(page["characters"] for page in pages)),
        *_times(pages),
    ]


def _times(pages: list[Json]) -> list[str]:
    """Return the mean ms and CPU ms of a page."""
    return [f"{sum(page[name] for page in pages) / len(pages):.0f}" for name in ("ms", "cpu_ms")]
