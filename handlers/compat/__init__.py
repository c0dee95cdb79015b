"""Functions with the requests and responses of other OCR services: docs/compat.md."""
