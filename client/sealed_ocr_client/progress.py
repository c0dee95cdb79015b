"""What a person sees on standard error while files are read."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol
from unicodedata import category

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

CONTROLS = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # also directions, lone surrogates
STATE_EACH_S = 10.0
SHOWN_WAIT_S = 2.0  # shorter waits are not worth a line


def shown(text: str) -> str:
    """Return a text for one line of a terminal: characters that control it are escaped."""
    return "".join(
        each.encode("unicode_escape").decode() if category(each) in CONTROLS else each
        for each in text
    )


class Report(Protocol):
    """Is told what happens."""

    def page(self) -> None:
        """Count a page."""

    def say(self, text: str) -> None:
        """Show a line."""

    def state(self, text: str) -> None:
        """Show how far a long run is."""

    def done(self, text: str) -> None:
        """Count a file; `text` says how it was."""

    def output(self, result: bytes) -> None:
        """Write a result to standard output."""


def write(result: bytes) -> None:
    """Write to standard output."""
    sys.stdout.buffer.write(result)
    sys.stdout.flush()


class Quiet:
    """Says nothing."""

    output = staticmethod(write)

    def page(self) -> None:
        """Say nothing."""

    def say(self, text: str) -> None:
        """Say nothing."""

    def state(self, text: str) -> None:
        """Say nothing."""

    def done(self, text: str) -> None:
        """Say nothing."""


class Plain:
    """Writes a line for each file, for a log or a pipe."""

    output = staticmethod(write)

    def __init__(self, files: int | None) -> None:
        self._files = files
        self._done = 0
        self._told = time.monotonic()

    def page(self) -> None:
        """Say nothing: a file has its line."""

    def state(self, text: str) -> None:
        """Write a line now and then."""
        if time.monotonic() - self._told >= STATE_EACH_S:
            self._told = time.monotonic()
            self.say(text)

    def say(self, text: str) -> None:
        """Write a line."""
        print(shown(text), file=sys.stderr, flush=True)  # noqa: T201

    def done(self, text: str) -> None:
        """Write how many files are done, and how this one was."""
        self._done += 1
        of = "" if self._files is None else f"/{self._files}"
        self.say(f"[{self._done}{of}] {text}")


class Bar:
    """A progress bar of files, with the number of pages."""

    def __init__(self, progress: "Progress", task: "TaskID") -> None:
        self._progress = progress
        self._task = task
        self._pages = 0

    def page(self) -> None:
        """Count a page."""
        self._pages += 1
        self._progress.update(self._task, pages=self._pages)

    def state(self, text: str) -> None:
        """Write it into the bar's place."""
        self._progress.update(self._task, description=text)

    def say(self, text: str) -> None:
        """Write a line above the bar."""
        self._progress.console.print(shown(text), markup=False, highlight=False)

    def done(self, text: str) -> None:  # noqa: ARG002
        """Move the bar on."""
        self._progress.advance(self._task)

    def output(self, result: bytes) -> None:
        """Write a result where the bar was: both may be on one terminal."""
        self._progress.stop()
        write(result)
        self._progress.start()


@contextmanager
def reporting(files: int, *, quiet: bool) -> Iterator[Report]:
    """Yield a bar on a terminal, lines elsewhere, and nothing for a single file there."""
    if quiet or (files == 1 and not sys.stderr.isatty()):
        yield Quiet()
    elif not sys.stderr.isatty():
        yield Plain(files)
    else:
        # Loaded only where it is shown.
        from rich.console import Console  # noqa: PLC0415
        from rich.progress import (  # noqa: PLC0415
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
        )

        columns = (
            TextColumn("Reading"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("files, {task.fields[pages]} pages"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            yield Bar(progress, progress.add_task("", total=files, pages=0))


@contextmanager
def reporting_run(*, quiet: bool) -> Iterator[Report]:
    """Yield what shows a run of files whose number is not known; on a terminal one line."""
    if quiet:
        yield Quiet()
    elif not sys.stderr.isatty():
        yield Plain(None)
    else:
        from rich.console import Console  # noqa: PLC0415 - as above
        from rich.progress import Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

        columns = (TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            yield Bar(progress, progress.add_task("Connecting", total=None, pages=0))
