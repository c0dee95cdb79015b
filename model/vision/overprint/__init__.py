"""Seals and watermarks over text."""
