"""What every test shares."""

import os
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import hypothesis
import pytest

from bench.lab import Lab

# A busy machine is slow now and then; how long an example takes proves nothing.
hypothesis.settings.register_profile(
    "house", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("house")

ROOT = Path(__file__).parents[1]
# What --quick runs: each package whose tests start no service, and of each other one some files.
QUICK = (
    *(
        "tests/audit",
        "tests/cluster/test_units.py",
        "tests/handlers",
        "tests/keys/test_key_text.py",
        "tests/metrics",
        "tests/middleware",
        "tests/service",
        "tests/settings",
        "tests/tls",
    ),
    *("tests/server/test_data_frames.py", "tests/server/test_fair_queue.py"),
    *("tests/server/test_http1.py", "tests/server/test_serving.py"),
    *("tests/model/decoding/test_images.py", "tests/model/workers"),
    *("tests/model/test_pages.py", "tests/model/test_pipeline.py"),
    *("tests/deploy/test_containerfile.py", "tests/system/test_serving.py"),
    "tests/web/test_hostile.py",
    *(
        "tests/test_docs.py",
        "tests/test_layout.py",
        "tests/test_quick.py",
        "tests/test_security.py",
    ),
)
# None of these compares times, or waits so briefly that a slow start matters: .ci/run runs them
# beside the others, at the lowest priority.
UNTIMED = (
    *("tests/audit", "tests/bench/test_smoke.py", "tests/client", "tests/deploy"),
    *("tests/handlers", "tests/keys/test_key_file.py", "tests/keys/test_key_text.py"),
    *("tests/keys/test_keys.py", "tests/metrics", "tests/model/vision", "tests/settings"),
    *("tests/system/test_audit.py", "tests/system/test_compat.py"),
    *("tests/system/test_exploits.py", "tests/system/test_formats.py"),
    *("tests/system/test_fuzz.py", "tests/system/test_hostile.py", "tests/system/test_install.py"),
    *("tests/system/test_openapi.py", "tests/system/test_scripts.py", "tests/test_docs.py"),
    *("tests/test_docs_zh.py", "tests/test_figures.py", "tests/test_layout.py"),
    *("tests/test_packaging.py", "tests/test_quick.py", "tests/test_security.py", "tests/tls"),
    *("tests/web",),
)
# But for these, which do.
TIMED = ("tests/handlers/test_large_pages.py", "tests/handlers/test_stalls.py")
LEFT_OUT = pytest.StashKey[Counter[str]]()

PROGRAMS = (
    "certbot",
    "certutil",
    "chromium",
    "compose-lint",
    "curl",
    "hadolint",
    "ip",
    "java",
    "nginx",
    "node",
    "nsenter",
    "openssl",
    "pdftotext",
    "pebble",
    "pebble-challtestsrv",
    "promtool",
    "redis-server",
    "strace",
    "systemd-analyze",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flags of CI and of long runs."""
    parser.addoption("--no-skips", action="store_true", help="a skipped test is a failed one")
    parser.addoption("--quick", action="store_true", help="only QUICK of tests/conftest.py")
    parser.addoption("--timed", action="store_true", help="all but UNTIMED of tests/conftest.py")
    parser.addoption("--untimed", action="store_true", help="only UNTIMED of tests/conftest.py")
    parser.addoption("--fresh", action="store_true", help="also install into fresh copies")
    parser.addoption("--integrations", action="store_true", help="also test the plugins")
    parser.addoption("--soak", action="store_true", help="also run what takes minutes to hours")
    parser.addoption("--soak-minutes", type=float, default=20, help="how long the soak lasts")
    parser.addoption("--image", action="store_true", help="also build the image and run it")
    parser.addoption("--bench", action="store_true", help="also run every bench, at tiny sizes")
    parser.addoption("--training", action="store_true", help="also test how weights are made")
    parser.addoption("--mutants", type=int, default=1000, help="how many files the fuzzer sends")
    parser.addoption("--seed", type=int, default=1, help="what the fuzzer's files are made from")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the long runs, and what needs more libraries, unless they are asked for."""
    for flag in ("bench", "fresh", "integrations", "soak", "image", "training"):
        if not config.getoption(f"--{flag}"):
            left_out = [item for item in items if item.get_closest_marker(flag)]
            config.hook.pytest_deselected(items=left_out)
            items[:] = [item for item in items if item not in left_out]
    for flag, untimed in (("timed", False), ("untimed", True)):
        if config.getoption(f"--{flag}"):
            left_out = [item for item in items if is_untimed(_file(item)) is not untimed]
            config.hook.pytest_deselected(items=left_out)
            items[:] = [item for item in items if is_untimed(_file(item)) is untimed]
    if config.getoption("--quick"):
        left_out = [item for item in items if not is_of(QUICK, _file(item))]
        config.stash[LEFT_OUT] = Counter(_folder(item) for item in left_out)
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if is_of(QUICK, _file(item))]


def is_of(names: Sequence[str], file: str) -> bool:
    """Return whether a file is one of these, or in one of these folders."""
    return file in names or file.startswith(tuple(f"{name}/" for name in names))


def is_untimed(file: str) -> bool:
    """Return whether no test of a file compares times."""
    return is_of(UNTIMED, file) and file not in TIMED


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


def _folder(item: pytest.Item) -> str:
    return "/".join(_file(item).split("/")[:2])


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what --quick left out."""
    left_out = config.stash.get(LEFT_OUT, Counter())
    if left_out:
        names = ", ".join(f"{name} {count}" for name, count in sorted(left_out.items()))
        terminalreporter.write_line(f"left out by --quick: {left_out.total()} tests: {names}")


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


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Hosts in network namespaces, for the tests of one module."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    try:
        with Lab(tmp_path_factory.mktemp("lab")) as one:
            yield one
    except FileNotFoundError as error:
        if error.filename in PROGRAMS:
            pytest.skip(f"{error.filename} is not installed")
        raise


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run asynchronous tests on asyncio alone: it is what Hypercorn runs us on."""
    return "asyncio"
