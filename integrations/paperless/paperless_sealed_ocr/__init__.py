"""A parser for paperless-ngx that reads documents with a Sealed OCR service."""

__version__ = "0.1.0"
