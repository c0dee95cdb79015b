"""The default networks, loaded once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from model.vision.engine import load
from model.vision.lines.recogniser import Recogniser
from model.vision.page import PageReader
from model.weights import pick
from settings.tables import Model


@pytest.fixture(scope="session")
def reader() -> PageReader:
    """Return a reader with the default networks."""
    parts = {"detector": Model().detector, "recogniser": Model().recogniser, "threads": 1}
    # In a thread that ends: loading makes its thread treat denormal floats as zero.
    with ThreadPoolExecutor(1) as loading:
        return loading.submit(load, parts).result()


@pytest.fixture(scope="session")
def recogniser() -> Recogniser:
    """Return the default recogniser."""
    return Recogniser(pick(Model().recogniser, "recogniser"), threads=1)
