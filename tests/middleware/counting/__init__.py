"""Tests of the storages of counts."""
