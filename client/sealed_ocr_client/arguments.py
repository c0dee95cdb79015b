"""The command line."""

import argparse
import os
from pathlib import Path

from sealed_ocr_client.client import DEFAULT_URL, MAX_WAIT_S, RETRIES, TIMEOUT_S
from sealed_ocr_client.formats import FORMATS

JOBS = 4
_FORMAT_LINES = "\n".join(f"  {each.name:9} {each.description}" for each in FORMATS.values())
_EPILOGUE = f"""formats:
{_FORMAT_LINES}

the API key, from the first of these:
  --key-file FILE       readable by its owner only
  SEALED_OCR_KEY        environment variable
  SEALED_OCR_KEY_FILE   environment variable that names such a file
  the keyring           keyring set sealed-ocr URL (pip's extra "keyring")
  .dev/key              with scripts/ocr in the service's checkout, for localhost

examples:
  scripts/ocr receipt.png                         its text, on standard output
  scripts/ocr scans/ --format pdf --beside        scans/a.jpg.ocr.pdf beside scans/a.jpg, and so on
  scripts/ocr book.pdf --format json --out text/  text/book.pdf.json; if interrupted, run it again
  scan | scripts/ocr - --format tsv | sort        standard input
  scripts/ocr scans/ --out text/ --cluster tls://10.0.0.1:8786    with many machines

exit status: 0 all files were read; 1 some were not; 2 a wrong option, or no file could be read;
130 interrupted
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser."""
    made = argparse.ArgumentParser(
        prog=os.environ.get("SEALED_OCR_PROGRAM", "sealed-ocr"),
        usage="%(prog)s FILE... [options]",
        description="Read images and PDFs with a Sealed OCR service.",
        epilog=_EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="an image, a PDF, a folder (with those below it), or - for standard input",
    )
    _add_output(made)
    _add_reading(made)
    _add_service(made)
    _add_cluster(made)
    return made


def _add_output(made: argparse.ArgumentParser) -> None:
    group = made.add_argument_group("output", "Standard output, in the order of the files, or:")
    group.add_argument(
        "-f", "--format", choices=FORMATS, default="text", metavar="NAME", help="default: text"
    )
    place = group.add_mutually_exclusive_group()
    place.add_argument("--beside", action="store_true", help="a file beside each file")
    place.add_argument("-o", "--out", type=Path, metavar="FOLDER", help="files in this folder")
    group.add_argument(
        "--again", action="store_true", help="also read files whose results are there already"
    )
    group.add_argument("-q", "--quiet", action="store_true", help="show no progress")


def _add_reading(made: argparse.ArgumentParser) -> None:
    group = made.add_argument_group("reading")
    group.add_argument(
        "--pages", metavar="1-3,7", help="these pages of each document; 9-: to the end"
    )
    group.add_argument("--words", choices=("word", "char"), help="boxes of words, or of characters")
    group.add_argument(
        "--min-confidence", type=_share, metavar="0.9", help="leave out the text of doubtful lines"
    )
    group.add_argument(
        "--order",
        choices=("columns", "rows"),
        help="columns one after the other (default), or the page row by row",
    )


def _add_service(made: argparse.ArgumentParser) -> None:
    group = made.add_argument_group("service")
    group.add_argument(
        "--url",
        action="append",
        help=f"of the service; of several, each once; default: SEALED_OCR_URL, else {DEFAULT_URL}",
    )
    group.add_argument("--key-file", type=Path, metavar="FILE", help="a file with the API key")
    group.add_argument(
        "--ca",
        type=Path,
        metavar="FILE",
        help="trust this CA (default: SEALED_OCR_CA, the system's)",
    )
    group.add_argument("--certificate", type=Path, metavar="FILE", help="a client certificate")
    group.add_argument("--certificate-key", type=Path, metavar="FILE", help="its key")
    group.add_argument(
        "-j", "--jobs", type=_positive, default=JOBS, metavar="N",
        help=f"files at a time, over one connection to each service; default {JOBS}",
    )  # fmt: skip
    group.add_argument(
        "--retries", type=int, default=RETRIES, metavar="N",
        help=f"attempts after the first one; default {RETRIES}",
    )  # fmt: skip
    group.add_argument(
        "--max-wait", type=float, default=MAX_WAIT_S, metavar="S",
        help=f"longest wait before one of them, in seconds; default {MAX_WAIT_S:.0f}",
    )  # fmt: skip
    group.add_argument(
        "--timeout", type=float, default=TIMEOUT_S, metavar="S",
        help=f"give up a request after so many seconds of silence; default {TIMEOUT_S:.0f}",
    )  # fmt: skip


def _add_cluster(made: argparse.ArgumentParser) -> None:
    group = made.add_argument_group(
        "cluster",
        "Instead of a service (docs/cluster.md). --ca, --certificate and --certificate-key are\n"
        "the cluster's; default: ca.pem, client.pem and client.key in the checkout's tls/cluster/",
    )
    group.add_argument("--cluster", metavar="tls://HOST:PORT", help="the address of its scheduler")
    group.add_argument(
        "--shared", action="store_true", help="the nodes have the files at the same paths"
    )


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError("a number from 0 to 1")
    return value


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("a number from 1")
    return value
