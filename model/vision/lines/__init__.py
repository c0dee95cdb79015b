"""A line of a page, from its box to its text."""
