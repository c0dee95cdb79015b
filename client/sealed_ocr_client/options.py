"""How files are read: the parameters of POST /ocr."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Options:
    """The service's parameters (docs/api.md, Parameters); None leaves one out.

    `pages` is a text such as "1-3,7,9-", `words` "word" or "char", `order` "columns" or "rows".
    """

    pages: str | None = None
    words: str | None = None
    min_confidence: float | None = None
    order: str | None = None
    detect: bool | None = None

    def query(self) -> dict[str, str]:
        """Return the parameters other than `pages`, as they stand in the URL."""
        values: dict[str, Any] = {
            "words": self.words,
            "min_confidence": self.min_confidence,
            "order": self.order,
            "detect": None if self.detect is None else str(self.detect).lower(),
        }
        return {name: str(value) for name, value in values.items() if value is not None}
