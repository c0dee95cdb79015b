"""The reading order of a page, and its blocks."""
