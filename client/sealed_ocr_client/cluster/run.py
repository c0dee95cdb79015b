"""scripts/ocr --cluster."""

import argparse
import os
import sys
from pathlib import Path

from sealed_ocr_client.cluster.connection import Connection, Credentials
from sealed_ocr_client.cluster.document_reader import DocumentReader
from sealed_ocr_client.cluster.failures import SetAside
from sealed_ocr_client.cluster.folder import FEWEST, Folder, SetAsideBefore
from sealed_ocr_client.cluster.limit import Limit
from sealed_ocr_client.cluster.page_reader import PageReader
from sealed_ocr_client.cluster.tally import Tally
from sealed_ocr_client.errors import OcrError, UnusableOption
from sealed_ocr_client.formats import FORMATS
from sealed_ocr_client.inputs import STANDARD_INPUT
from sealed_ocr_client.options import Options
from sealed_ocr_client.page_ranges import PageRanges
from sealed_ocr_client.progress import reporting_run, shown
from sealed_ocr_client.trust import checkout

DONE, FAILED, NOTHING = 0, 1, 2


async def run(given: argparse.Namespace, options: Options) -> int:
    """Read the files with a cluster; return the exit status.

    Raises:
        UnusableOption: an option is wrong; nothing was read.

    """
    _check(given)
    tally = Tally()
    language = "zh" if os.environ.get("LANG", "").startswith("zh") else "en"
    with reporting_run(quiet=given.quiet) as report:
        connection = Connection(
            given.cluster,
            _credentials(given),
            max_wait_s=given.max_wait,
            say=report.say,
        )
        reader = PageReader(connection, options, language)
        form = FORMATS[given.format]
        documents = DocumentReader(reader, form, options, Limit(FEWEST), tally, given.shared)
        folder = Folder(
            connection, documents, given.files, given.out, form, report, tally,
            max_wait_s=given.max_wait, again=given.again,
        )  # fmt: skip
        stopped: OcrError | None = None
        try:
            await folder.run()
        except UnusableOption:
            raise
        except OcrError as error:
            stopped = error
        finally:
            await connection.aclose()
    return _summary(folder, stopped)


def _check(given: argparse.Namespace) -> None:
    """Refuse what a cluster has no use for.

    Raises:
        UnusableOption: the format, the place of the results, or the pages.

    """
    if FORMATS[given.format].from_pages is None:
        possible = ", ".join(each.name for each in FORMATS.values() if each.from_pages)
        raise UnusableOption(
            f"With --cluster the formats are {possible}: the others are made by the service."
        )
    if given.out is None and not given.beside:
        raise UnusableOption("--cluster needs --out FOLDER or --beside.")
    if STANDARD_INPUT in given.files:
        raise UnusableOption("--cluster reads files and folders, not standard input.")
    if given.pages is not None:
        PageRanges.parse(given.pages)


def _credentials(given: argparse.Namespace) -> Credentials:
    """Return the files of the command line, or those of the checkout.

    Raises:
        UnusableOption: one is missing.

    """
    root = checkout()
    folder = root / "tls" / "cluster" if root else None
    files = {
        "--ca": (given.ca, "ca.pem"),
        "--certificate": (given.certificate, "client.pem"),
        "--certificate-key": (given.certificate_key, "client.key"),
    }
    found: list[Path] = []
    for option, (named, name) in files.items():
        file = named or (folder / name if folder and (folder / name).exists() else None)
        if file is None:
            raise UnusableOption(
                f"--cluster needs {option}: scripts/cluster certificate NAME --client makes a "
                "client's certificate and key, beside the cluster's ca.pem."
            )
        found.append(file)
    return Credentials(*found)


def _summary(folder: Folder, stopped: OcrError | None) -> int:
    """Name what was not read, and why; return the exit status."""
    if stopped is not None and not folder.tally.pages_done and not folder.skipped:
        _say(f"{stopped}")
        return NOTHING
    already = f", {folder.skipped} were there already (--again reads them)" * bool(folder.skipped)
    _say(f"{folder.written} files and {folder.tally.pages_done} pages read{already}.")
    for name, error in folder.failures:
        _say(f"{name}: {error}")
    more = folder.failed - len(folder.failures)
    if more:
        _say(f"and {more} more files, which were named above.")
    aside = sum(isinstance(error, SetAside | SetAsideBefore) for _, error in folder.failures)
    if aside:
        _say(f"{aside} files have a page that is set aside: each has a file RESULT.set-aside.")
    if stopped is not None:
        _say(f"{stopped} The same command continues.")
        return NOTHING
    return FAILED if folder.failed else DONE


def _say(text: str) -> None:
    print(shown(text), file=sys.stderr)  # noqa: T201
