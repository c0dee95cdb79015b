"""Searchable PDFs, written page by page."""
