"""A page's reading in the form in which it is sent to the parent process."""

from dataclasses import asdict

import numpy as np

from model.vision.lines.words import ReadWord
from model.vision.page import PageReading
from model.vision.polygon import Polygon
from model.workers.channel import Message


def as_json(reading: PageReading) -> Message:
    """Return a reading in the form that the parent expects."""
    return {
        "detect_ms": reading.detect_ms,
        "recognise_ms": reading.recognise_ms,
        "rotation": reading.rotation,
        "skew": reading.skew,
        "lines": [
            {
                "text": line.text,
                "confidence": line.confidence,
                "polygon": _corners(line.polygon),
                "words": [_word(word) for word in line.words],
            }
            for line in reading.lines
        ],
        "blocks": [
            {
                "polygon": _corners(block.polygon),
                "lines": block.lines,
                "kind": block.kind,
                "cells": [asdict(cell) for cell in block.cells],
            }
            for block in reading.blocks
        ],
    }


def _word(word: ReadWord) -> Message:
    return {
        "text": word.text,
        "confidence": word.confidence,
        "polygon": word.polygon,
    }


def _corners(polygon: Polygon) -> list[list[int]]:
    """Return the corners of a box in whole px."""
    corners: list[list[int]] = np.rint(polygon).astype(int).tolist()
    return corners
