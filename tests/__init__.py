"""Tests; each folder mirrors one of the source's."""
