"""What every test shares."""

from collections.abc import Generator

import hypothesis
import pytest

# A busy machine is slow now and then; how long an example takes proves nothing.
hypothesis.settings.register_profile(
    "house", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("house")

PROGRAMS = (
    "certbot",
    "compose-lint",
    "curl",
    "hadolint",
    "nginx",
    "openssl",
    "pebble",
    "pebble-challtestsrv",
    "redis-server",
    "strace",
    "systemd-analyze",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flags of CI and of long runs."""
    parser.addoption("--no-skips", action="store_true", help="a skipped test is a failed one")
    parser.addoption("--fresh", action="store_true", help="also install into fresh copies")
    parser.addoption("--soak", action="store_true", help="also run what takes minutes to hours")
    parser.addoption("--soak-minutes", type=float, default=20, help="how long the soak lasts")
    parser.addoption("--image", action="store_true", help="also build the image and run it")
    parser.addoption("--bench", action="store_true", help="also run every bench, at tiny sizes")
    parser.addoption("--training", action="store_true", help="also test how weights are made")
    parser.addoption("--mutants", type=int, default=1000, help="how many files the fuzzer sends")
    parser.addoption("--seed", type=int, default=1, help="what the fuzzer's files are made from")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the long runs, and what needs more libraries, unless they are asked for."""
    for flag in ("bench", "fresh", "soak", "image", "training"):
        if not config.getoption(f"--{flag}"):
            left_out = [item for item in items if item.get_closest_marker(flag)]
            config.hook.pytest_deselected(items=left_out)
            items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With --no-skips, turn a skip into a failure: CI has everything a test may need."""
    report = yield
    # An expected failure counts as skipped too: it is a negative control that did its work.
    expected = hasattr(report, "wasxfail")
    if report.skipped and not expected and item.config.getoption("--no-skips"):
        report.outcome = "failed"
        report.longrepr = f"skipped, with --no-skips: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call() -> Generator[None, object, object]:
    """Skip a test whose program is not on this machine; CI installs them and forbids skips."""
    try:
        return (yield)
    except FileNotFoundError as error:
        if error.filename in PROGRAMS:
            pytest.skip(f"{error.filename} is not installed")
        raise


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run asynchronous tests on asyncio alone: it is what Hypercorn runs us on."""
    return "asyncio"
