"""The command sealed-ocr."""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from sealed_ocr_client.arguments import parser
from sealed_ocr_client.batch import Batch
from sealed_ocr_client.client import AsyncClient, urls_of
from sealed_ocr_client.errors import OcrError, Refused, UnusableOption
from sealed_ocr_client.formats import FORMATS
from sealed_ocr_client.inputs import find_inputs, find_outputs
from sealed_ocr_client.keys import VARIABLE, find_key
from sealed_ocr_client.options import Options
from sealed_ocr_client.page_ranges import PageRanges
from sealed_ocr_client.progress import SHOWN_WAIT_S, Report, reporting, shown

FAILED, WRONG, INTERRUPTED = 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    given = parser().parse_args(arguments)
    try:
        return asyncio.run(_run(given))
    except UnusableOption as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        in_files = given.beside or given.out is not None
        _say("Interrupted." + " The same command continues." * in_files)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of standard output has ended
        with suppress(BrokenPipeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


async def _run(given: argparse.Namespace) -> int:
    """Read the files.

    Raises:
        UnusableOption: an option is wrong; nothing was read.

    """
    if given.cluster is not None:
        return await _with_cluster(given)
    if given.shared:
        raise UnusableOption("--shared is for --cluster.")
    form = FORMATS[given.format]
    inputs = find_inputs(given.files)
    in_files = given.beside or given.out is not None
    outputs = find_outputs(inputs, form, given.out) if in_files else None
    _check_standard_output(given, len(inputs))
    if given.pages is not None:
        PageRanges.parse(given.pages)
    with reporting(len(inputs), quiet=given.quiet) as report:
        async with _client(given, report) as client:
            jobs = given.jobs * len(urls_of(given.url))
            batch = Batch(client, form, _options(given), inputs, outputs, report, jobs, given.again)
            try:
                await batch.run()
            except OcrError as error:
                stopped: OcrError | None = error
            else:
                stopped = None
    if isinstance(stopped, Refused | None) or batch.written:
        return _summary(batch, stopped)
    return _fail(str(stopped))


async def _with_cluster(given: argparse.Namespace) -> int:
    """Read the files with a cluster; return the exit status.

    Raises:
        UnusableOption: distributed is not installed, or an option is wrong.

    """
    try:
        from sealed_ocr_client.cluster.run import run  # noqa: PLC0415 - few have distributed
    except ModuleNotFoundError as error:
        if error.name not in {"dask", "distributed"}:
            raise
        raise UnusableOption(
            "--cluster needs distributed: run scripts/install --cluster, or pip install "
            "'sealed-ocr-client[cluster]'."
        ) from None
    return await run(given, _options(given))


def _client(given: argparse.Namespace, report: Report) -> AsyncClient:
    """Return a client with the options of the command line.

    Raises:
        UnusableOption: one cannot be used, or there is no key.

    """
    urls = urls_of(given.url)
    key = find_key(urls[0], given.key_file)

    def waiting(wait_s: float, error: OcrError) -> None:
        if wait_s >= SHOWN_WAIT_S:
            report.say(f"Waiting {wait_s:.0f} s: {error}")

    client = AsyncClient(
        urls,
        key=key or "",
        ca=given.ca,
        certificate=given.certificate,
        certificate_key=given.certificate_key,
        retries=given.retries,
        max_wait_s=given.max_wait,
        timeout_s=given.timeout,
        language="zh" if os.environ.get("LANG", "").startswith("zh") else "en",
        waiting=waiting,
        left_out=lambda error: report.say(f"{error} The other services are asked."),
    )
    if key is None and given.certificate is None:
        raise UnusableOption(
            "There is no API key. Put it into the environment variable SEALED_OCR_KEY, or into a "
            "file (chmod 600) that --key-file names."
        )
    return client


def _options(given: argparse.Namespace) -> Options:
    return Options(
        pages=given.pages,
        words=given.words,
        min_confidence=given.min_confidence,
        order=given.order,
    )


def _check_standard_output(given: argparse.Namespace, files: int) -> None:
    """Refuse what would be of no use there.

    Raises:
        UnusableOption: images or PDFs for a terminal, or several documents that are not text.

    """
    form = FORMATS[given.format]
    if given.beside or given.out is not None:
        return
    if form.binary and sys.stdout.isatty():
        raise UnusableOption(
            f"{form.name} is not shown in a terminal: use --beside or --out FOLDER."
        )
    if files > 1 and form.name in {"pdf", "png", "hocr", "alto"}:
        raise UnusableOption(
            f"Several files cannot be one document in the format {form.name}: use --beside or "
            "--out FOLDER."
        )


def _summary(batch: Batch, stopped: OcrError | None) -> int:
    """Name what was not read, and why."""
    if len(batch.inputs) > 1 or batch.skipped:
        already = f", {batch.skipped} were there already (--again reads them)" * bool(batch.skipped)
        _say(f"{batch.written} of {len(batch.inputs)} files read{already}.")
    if isinstance(stopped, Refused) and stopped.code == "not_authenticated":
        return _fail(f"{stopped} Give another key in {VARIABLE}, or a file to --key-file.")
    if stopped is not None:
        return _fail(str(stopped))
    for name, error in batch.failures:
        _say(f"{name}: {error}")
    return FAILED if batch.failures else 0


def _say(text: str) -> None:
    print(shown(text), file=sys.stderr)  # noqa: T201


def _fail(text: str) -> int:
    _say(text)
    return WRONG


if __name__ == "__main__":
    sys.exit(main())
