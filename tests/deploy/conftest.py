"""What the tests of deploy/ share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.nginx import PROGRAM, Behind, Front, Nginx
from tests.deploy.nginx_certificates import Authority
from tests.deploy.nginx_functions import FUNCTIONS, HANDLERS
from tests.deploy.replay import Systemd, missing


@pytest.fixture(scope="session")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """The service behind nginx as shipped, with two functions of the tests' own."""
    if not Path(PROGRAM).exists():  # a skip that tests/conftest.py sees to, outside of fixtures
        pytest.skip("nginx is not installed")
    folder = tmp_path_factory.mktemp("front")
    (folder / "service").mkdir()
    authority = Authority(folder / "authority")
    modules = {"nginx_handlers.py": HANDLERS}
    behind = Behind(folder / "service", local=FUNCTIONS, modules=modules)
    with behind as service, Nginx(folder / "nginx", behind.socket, authority) as nginx:
        yield Front(service, nginx)


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    """The service as the unit runs it."""
    if missing():
        pytest.skip(missing())
    with Systemd(tmp_path) as running:
        yield running
