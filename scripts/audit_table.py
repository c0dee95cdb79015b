"""The output of `audit show`: a table to read, JSON lines, or CSV."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Request = Mapping[str, Any]

COLUMNS: Mapping[str, Callable[[Request], object]] = {
    "at": lambda request: request["at"],
    "key": lambda request: request.get("key"),
    "key_id": lambda request: request.get("key_id"),
    "certificate": lambda request: request.get("certificate"),
    "address": lambda request: request.get("address"),
    "function": lambda request: request.get("function"),
    "status": lambda request: request.get("status"),
    "pages": lambda request: request.get("pages"),
    "ms": lambda request: request.get("ms"),
    "documents": lambda request: " ".join(
        f"{each['hash'][:16]}:{each['bytes']}" for each in request.get("documents") or []
    ),
    "problem": lambda request: request.get("problem"),
    "request": lambda request: request["request"],
}
WIDTHS = {"at": 24, "key": 16, "key_id": 11, "address": 15, "function": 12, "status": 6, "pages": 5}
IN_TABLE = ("at", "key", "key_id", "address", "function", "status", "pages", "documents", "problem")


def table(requests: Iterable[Request]) -> None:
    """Print a line per request, as soon as it is found: columns have fixed widths."""
    print("  ".join(name.ljust(WIDTHS.get(name, 0)) for name in IN_TABLE).rstrip())
    for request in requests:
        cells = [_cell(COLUMNS[name](request)).ljust(WIDTHS.get(name, 0)) for name in IN_TABLE]
        print("  ".join(cells).rstrip())


def _cell(value: object) -> str:
    text = "-" if value is None or value == "" else str(value)
    return "".join(each if each.isprintable() else "?" for each in text)


def json_lines(requests: Iterable[Request]) -> None:
    """Print a JSON object per request: its records, joined."""
    for request in requests:
        print(json.dumps(request))


def csv_rows(requests: Iterable[Request]) -> None:
    """Print CSV with a header; a spreadsheet must not take a name for a formula."""
    writer = csv.writer(sys.stdout)
    writer.writerow(COLUMNS)
    for request in requests:
        writer.writerow([_plain(column(request)) for column in COLUMNS.values()])


def _plain(value: object) -> object:
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value


FORMATS: Mapping[str, Callable[[Iterable[Request]], None]] = {
    "table": table,
    "json": json_lines,
    "csv": csv_rows,
}
