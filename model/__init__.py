"""Uploads in, text out, without HTTP. `model.reader.Reader` is the entry point."""
