"""The errors of all functions as one table."""

from collections.abc import Iterator, Mapping
from typing import Any

from handlers.docs_page.html import Html, joined, table, tag

PROBLEM = "application/problem+json"


def error_table(document: Mapping[str, Any], say: Mapping[str, str]) -> Html:
    """Return a row for each code, with its details: one or, behind a click, several."""
    details: dict[tuple[int, str], dict[str, str]] = {}
    for problem in _examples(document):
        found = details.setdefault((problem["status"], problem["code"]), {})
        found[problem["detail"]] = problem["title"]
    rows: list[tuple[str, ...]] = [
        (
            tag("code", code, id=f"error-{code}"),
            str(status),
            joined(tag("strong", next(iter(texts.values()))), _texts(list(texts))),
        )
        for (status, code), texts in sorted(details.items())
    ]
    return table((say["code"], say["status"], say["description"]), rows, "errors")


def _texts(texts: list[str]) -> Html:
    if len(texts) == 1:
        return tag("p", texts[0])
    summary = tag("summary", texts[0])
    return tag("details", summary, tag("ul", *(tag("li", each) for each in texts[1:])))


def _examples(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the problem documents of all examples; of a code with limits, the first."""
    responses = [
        *document["components"]["responses"].values(),
        *(
            response
            for item in document["paths"].values()
            for operation in item.values()
            for response in operation["responses"].values()
        ),
    ]
    seen = set()
    for response in responses:
        media = response.get("content", {}).get(PROBLEM, {})
        for name, example in media.get("examples", {}).items():
            if name not in seen:
                seen.add(name)
                yield example["value"]
