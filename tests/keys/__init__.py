"""Tests of scripts/keys."""
