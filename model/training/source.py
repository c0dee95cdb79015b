"""Renderings by number: with the same fonts, the same number gives the same image."""

import random
from collections.abc import Container
from pathlib import Path

from model.training.fonts import Faces
from model.training.text import generate_text


class Source:
    """Texts and faces, and a random generator for each image."""

    def __init__(
        self, listing: Path, charset: Container[str], *, seed: int, held_out: bool
    ) -> None:
        """Use the faces in `listing` and the characters in the charset."""
        self._faces = Faces(listing, held_out=held_out)
        self._charset = charset
        self._seed = seed
        self._held_out = held_out

    def _rng(self, name: str) -> random.Random:
        """Return the random generator of one image."""
        return random.Random(f"{self._seed}/{name}")

    def _text(self, rng: random.Random, kind: str) -> str:
        """Return a text of this kind."""
        return generate_text(rng, self._charset, kind=kind, held_out=self._held_out)
