"""The formats of POST /ocr: one module each."""
