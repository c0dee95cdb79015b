"""The hooks of OCRmyPDF."""

from argparse import ArgumentParser

from ocrmypdf import OcrEngine, OcrOptions, hookimpl

from ocrmypdf_sealed_ocr.engine import SealedOcrEngine
from ocrmypdf_sealed_ocr.service import client_of


@hookimpl
def add_options(parser: ArgumentParser) -> None:
    """Add the options that say where the service is."""
    group = parser.add_argument_group("Sealed OCR", "The service that reads the pages")
    group.add_argument("--sealed-ocr-url", metavar="URL", help="default: SEALED_OCR_URL")
    group.add_argument("--sealed-ocr-ca", metavar="FILE", help="trust this CA: SEALED_OCR_CA")
    group.add_argument(
        "--sealed-ocr-key-file", metavar="FILE", help="the API key: SEALED_OCR_KEY_FILE"
    )


@hookimpl
def check_options(options: OcrOptions) -> None:
    """Check them before the first page."""
    if is_chosen(options):
        client_of(options).close()


@hookimpl
def get_ocr_engine(options: OcrOptions | None) -> OcrEngine | None:
    """Return the engine, unless another one is named."""
    return SealedOcrEngine() if options is None or is_chosen(options) else None


def is_chosen(options: OcrOptions) -> bool:
    """Return whether no other engine is named: --ocr-engine has no name for this one."""
    return options.ocr_engine == "auto"
