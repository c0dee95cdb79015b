"""A certificate for the session, and servers that several tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.servers import Server, serving
from tls.development import Paths, ensure_development_certificate

TIGHT = {"h2_max_concurrent_streams": 5, "keep_alive_max_requests": 20}


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    """Make a development certificate in a folder of its own."""
    directory: Path = tmp_path_factory.mktemp("tls")
    return ensure_development_certificate(directory)


@pytest.fixture(scope="session")
def stock(pair: Paths) -> Iterator[Server]:
    """Run stock Hypercorn."""
    with serving(pair, hardened=False) as server:
        yield server


@pytest.fixture(scope="session")
def hardened(pair: Paths) -> Iterator[Server]:
    """Run hardened Hypercorn."""
    with serving(pair, hardened=True) as server:
        yield server


@pytest.fixture(scope="session")
def stock_tight(pair: Paths) -> Iterator[Server]:
    """Run stock Hypercorn with small limits."""
    with serving(pair, hardened=False, settings=TIGHT) as server:
        yield server


@pytest.fixture(scope="session")
def hardened_tight(pair: Paths) -> Iterator[Server]:
    """Run hardened Hypercorn with small limits."""
    with serving(pair, hardened=True, settings=TIGHT, max_connections=4, discard_bytes=1) as server:
        yield server


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Server:
    """Return the server that a test is parametrised with."""
    found: Server = request.getfixturevalue(request.param)
    return found
