"""An engine for OCRmyPDF that reads pages with a Sealed OCR service."""

__version__ = "0.1.0"
