"""What was read."""

from dataclasses import dataclass
from typing import Any

from sealed_ocr_client.formats import json_of, text_of_pages


@dataclass(frozen=True, slots=True)
class Document:
    """The pages of a file, each a dictionary as in the service's streamed response.

    `document` says whether the file is one (a PDF, or `pages` were chosen), even of one page.
    """

    pages: tuple[dict[str, Any], ...]
    document: bool = False

    @property
    def text(self) -> str:
        """The text of all pages; a line feed and a form feed stand between two of them."""
        return text_of_pages(self.pages)

    @property
    def paged(self) -> bool:
        """Whether the JSON document has `pages`."""
        return self.document or len(self.pages) > 1

    def to_json(self) -> str:
        """Return the service's JSON document."""
        return json_of(self.pages, self.paged).decode()
