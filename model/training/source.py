"""What is drawn by number: the same number gives the same drawing wherever the same fonts are."""

import random
from collections.abc import Container
from pathlib import Path

from model.training.fonts import Faces
from model.training.text import draw_text


class Source:
    """Texts and faces to draw with, and a generator of chance for each drawing."""

    def __init__(
        self, listing: Path, charset: Container[str], *, seed: int, held_out: bool
    ) -> None:
        """Draw with the faces of `listing` what the charset holds."""
        self._faces = Faces(listing, held_out=held_out)
        self._charset = charset
        self._seed = seed
        self._held_out = held_out

    def _chance(self, name: str) -> random.Random:
        """Return the generator of one drawing."""
        return random.Random(f"{self._seed}/{name}")

    def _text(self, rng: random.Random, kind: str | None) -> str:
        """Return a text of a kind, or of any."""
        return draw_text(rng, self._charset, kind=kind, held_out=self._held_out)
