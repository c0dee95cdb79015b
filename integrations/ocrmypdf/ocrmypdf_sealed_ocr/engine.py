"""The engine."""

from pathlib import Path

from ocrmypdf import OcrEngine, OcrOptions, OrientationConfidence
from ocrmypdf.models.ocr_element import OcrElement
from PIL import Image

from ocrmypdf_sealed_ocr import __version__
from ocrmypdf_sealed_ocr.service import read_page
from ocrmypdf_sealed_ocr.tree import page_tree

CERTAIN = 15.0  # OCRmyPDF's most confident
LANGUAGES = {"chi_sim", "chi_tra", "eng"}


class SealedOcrEngine(OcrEngine):
    """Reads each page with one request, with boxes of words."""

    @staticmethod
    def version() -> str:
        """Return the plugin's version."""
        return __version__

    @staticmethod
    def creator_tag(options: OcrOptions) -> str:  # noqa: ARG004
        """Return what the PDF's metadata names."""
        return f"Sealed OCR {__version__}"

    def __str__(self) -> str:
        return f"Sealed OCR {__version__}"

    @staticmethod
    def languages(options: OcrOptions) -> set[str]:  # noqa: ARG004
        """Return the names that --language may have; they change nothing."""
        return LANGUAGES

    @staticmethod
    def get_orientation(input_file: Path, options: OcrOptions) -> OrientationConfidence:
        """Return by how much the page has to be turned."""
        page = read_page(input_file, options)
        return OrientationConfidence(-page["rotation"] % 360, CERTAIN if page["lines"] else 0.0)

    @staticmethod
    def get_deskew(input_file: Path, options: OcrOptions) -> float:
        """Return by how many degrees the page has to be turned counter-clockwise."""
        return float(read_page(input_file, options)["skew"])

    @staticmethod
    def supports_generate_ocr() -> bool:
        """Return that the tree is made without a file in between."""
        return True

    @staticmethod
    def generate_ocr(
        input_file: Path, options: OcrOptions, page_number: int = 0
    ) -> tuple[OcrElement, str]:
        """Return the tree of a page, and its text."""
        with Image.open(input_file) as image:
            dpi = float(image.info.get("dpi", (72, 72))[0])
        page = read_page(input_file, options)
        return page_tree(page, dpi, page_number), page["text"]

    @staticmethod
    def generate_hocr(
        input_file: Path, output_hocr: Path, output_text: Path, options: OcrOptions
    ) -> None:
        """Refuse: generate_ocr takes its place."""
        raise NotImplementedError

    @staticmethod
    def generate_pdf(
        input_file: Path, output_pdf: Path, output_text: Path, options: OcrOptions
    ) -> None:
        """Refuse: OCRmyPDF makes the PDF from the tree.

        Raises:
            NotImplementedError: always.

        """
        raise NotImplementedError("Sealed OCR needs --pdf-renderer auto or fpdf2.")
