"""The files of a command line, and where the result of each is written."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sealed_ocr_client.errors import UnusableOption
from sealed_ocr_client.formats import Format

EXTENSIONS = frozenset(
    {
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".png",
        ".webp",
        ".avif",
        ".gif",
        ".bmp",
        ".tif",
        ".tiff",
        ".pdf",
    }
)
STANDARD_INPUT = "-"
# Results that are images or PDFs have it before their extension: a later run over the same folder
# does not read them.
MARK = ".ocr"


@dataclass(frozen=True, slots=True)
class Input:
    """A file to read; `path` None is standard input. `below` is its place in the output folder."""

    name: str
    path: Path | None
    below: Path

    def content(self) -> bytes:
        """Return its bytes.

        Raises:
            OSError: it cannot be read.

        """
        return sys.stdin.buffer.read() if self.path is None else self.path.read_bytes()


def find_inputs(arguments: Sequence[str]) -> list[Input]:
    """Return the files, and those in the folders by their extensions, in the order given.

    Raises:
        UnusableOption: there is no such file, none in a folder, or standard input is there twice.

    """
    found = list(each_input(arguments))
    if sum(each.path is None for each in found) > 1:
        raise UnusableOption("Standard input (-) can be read once.")
    return found


def each_input(arguments: Sequence[str]) -> Iterator[Input]:
    """Yield them while they are being found.

    Raises:
        UnusableOption: there is no such file, or none in a folder.

    """
    for argument in arguments:
        path = Path(argument)
        if argument == STANDARD_INPUT:
            yield Input("standard input", None, Path("stdin"))
            continue
        try:
            is_folder, exists = path.is_dir(), path.exists()
        except OSError as error:  # a folder above it is closed, or the name too long
            raise UnusableOption(f"{argument}: {error.strerror}.") from None
        if is_folder:
            inside = None
            for inside in _inside(path):
                yield Input(str(inside), inside, inside.relative_to(path))
            if inside is None:
                extensions = " ".join(sorted(EXTENSIONS))
                raise UnusableOption(f"{argument} has no file to read ({extensions}).")
        elif exists:
            yield Input(argument, path, Path(path.name))
        else:
            raise UnusableOption(f"{argument}: no such file.")


def _inside(folder: Path) -> Iterator[Path]:
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(where, name)
            hidden, result = name.startswith("."), path.stem.endswith(MARK)
            if path.suffix.lower() in EXTENSIONS and not hidden and not result and path.is_file():
                yield path


def find_outputs(inputs: Iterable[Input], form: Format, out: Path | None) -> list[Path]:
    """Return where each result is written: in the folder `out`, or else beside its file.

    Raises:
        UnusableOption: two results would be one file, or standard input has no place.

    """
    return [target for _, target in each_output(inputs, form, out)]


def each_output(
    inputs: Iterable[Input], form: Format, out: Path | None, *, distinct: bool = False
) -> Iterator[tuple[Input, Path]]:
    """Yield each file with the place of its result; of one folder's they are `distinct`.

    Raises:
        UnusableOption: two results would be one file, or standard input has no place.

    """
    mark = MARK if form.binary else ""
    taken: dict[Path, str] = {}
    for each in inputs:
        if out is None and each.path is None:
            raise UnusableOption("Standard input has no folder: use --out FOLDER, or no --beside.")
        place = out / each.below if out is not None else each.path or each.below
        target = place.with_name(f"{place.name}{mark}.{form.extension}")
        if target in taken:
            raise UnusableOption(
                f"{taken[target]} and {each.name} would both be written to {target}: use --beside, "
                "or read them in two runs."
            )
        if not distinct:
            taken[target] = each.name
        yield each, target
