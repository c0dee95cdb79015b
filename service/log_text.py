"""A line of the log as a person reads it on a terminal."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

RED, RESET = "\x1b[31m", "\x1b[0m"
ERRORS = ("error", "problem", "problems", "traceback")
NONE = "-"


def text_line(line: str, *, colour: bool) -> str:
    """Return a line of JSON as a line of text; an error is red where there is `colour`.

    Characters that are not printable are escaped: no value can move the cursor or add a line.
    """
    entry = json.loads(line)
    at = datetime.fromisoformat(entry.pop("at")).astimezone()
    event = entry.pop("event", None)
    said = " ".join(_request(entry)) if event is None else _event(event, entry)
    text = printable(f"{at:%H:%M:%S}  {said}")
    return f"{RED}{text}{RESET}" if colour and _is_error(event, entry) else text


def _request(entry: Mapping[str, Any]) -> Iterator[str]:
    """Yield key id, method, path, status, milliseconds and pages; of an error also the reason."""
    yield f"{entry.get('key_id') or NONE:<12}"
    yield f"{entry.get('method') or NONE:<4}"
    yield entry.get("function") or NONE
    yield str(entry.get("status") or NONE)
    yield f"{entry['ms']:.0f} ms"
    if pages := entry.get("pages"):
        yield "1 page" if pages == 1 else f"{pages} pages"
    if not entry.get("complete"):
        yield "incomplete"
    if problem := entry.get("problem"):
        reason = entry.get("reason")
        yield f"{problem} ({reason})" if reason else problem
        yield f"request {entry['request_id']} from {entry['address']}"
    if traceback := entry.get("traceback"):
        yield _words(traceback)


def _event(event: str, facts: Mapping[str, Any]) -> str:
    """Return the event and its facts, without those that say nothing."""
    said = ", ".join(
        f"{name.replace('_', ' ')} {words}"
        for name, value in facts.items()
        if (words := _words(value))
    )
    return f"{event}: {said}" if said else event


def _words(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list():
            return " ".join(map(_words, value))
        case dict():
            return " ".join(
                f"{name} {words}" for name, each in value.items() if (words := _words(each))
            )
    return "; ".join(str(value).splitlines())


def _is_error(event: str | None, entry: Mapping[str, Any]) -> bool:
    if event is not None:
        return any(entry.get(name) for name in ERRORS)
    return (entry.get("status") or 0) >= HTTPStatus.INTERNAL_SERVER_ERROR


def printable(text: str) -> str:
    """Return a text with its unprintable characters escaped, line ends among them."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )
