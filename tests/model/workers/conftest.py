"""Fixtures of the tests of child processes."""

from tests.model.workers.children import stand_in

__all__ = ["stand_in"]
