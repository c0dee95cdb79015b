"""A cell of a table, in the engine and in the service."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table: its first row and column, from 0, how many it covers, and its lines."""

    row: int
    column: int
    row_span: int
    column_span: int
    lines: tuple[int, ...]
