"""A child process: children that behave, children that don't."""

import contextlib
from collections.abc import AsyncIterator

import pytest

from model.errors import ReaderDied, UnreadableImage
from model.workers import memfd
from model.workers.channel import close_all
from model.workers.child import Child
from model.workers.crash import checked_report
from model.workers.launcher import LAUNCHER, Launcher
from tests.model.processes import is_running, open_descriptors, until
from tests.model.workers.children import StandIn

pytestmark = pytest.mark.anyio


@contextlib.asynccontextmanager
async def started(launcher: Launcher) -> AsyncIterator[Child]:
    """Start a child and stop it afterwards."""
    child = Child(launcher, "engine", lambda _: None)
    try:
        yield child
    finally:
        await child.aclose()


async def test_a_child_responds_and_stops(stand_in: StandIn) -> None:
    """After aclose() the process is gone."""
    async with started(stand_in("send(sequence=sequence)")) as child:
        assert await child.request({}) == {"sequence": 1}
        assert is_running(child.pid)
    assert not is_running(child.pid)


async def test_a_response_to_another_request_is_not_returned(stand_in: StandIn) -> None:
    """A child that repeats a response is killed: no caller gets another caller's text."""
    async with started(stand_in('send(sequence=1, text="the first caller\'s")')) as child:
        message = await child.request({})
        assert message["text"] == "the first caller's"
        with pytest.raises(ReaderDied, match="a response without a request"):
            await child.request({})
        assert not child.alive


async def test_a_child_that_sends_a_second_response_is_killed(stand_in: StandIn) -> None:
    """It could be taken for the response to the next request."""
    twice = "send(sequence=sequence)\nsend(sequence=sequence + 1, text='too early')"
    async with started(stand_in(twice)) as child:
        await child.request({})
        await until(lambda: not child.alive)
        with pytest.raises(ReaderDied):
            await child.request({})


@pytest.mark.parametrize("lines", ["end.send(b'{')", "end.send(b'[1]')", "os._exit(1)"])
async def test_invalid_messages_and_exits_raise(stand_in: StandIn, lines: str) -> None:
    """The caller learns at once that there will be no response."""
    async with started(stand_in(lines)) as child:
        with pytest.raises(ReaderDied):
            await child.request({})


async def test_a_crash_reports_its_place_and_no_data() -> None:
    """The parent gets the class and the line: the exception's text might quote an image."""
    async with started(LAUNCHER) as child:
        with pytest.raises(ReaderDied, match=r"died: KeyError at engine\.py:\d+$"):
            await child.request({"secret": "hush"})


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ("os.kill(os.getpid(), 11)", True),
        ("os.abort()", True),
        ("send(crash='MemoryError at page.py:7'); os._exit(1)", True),
        ("send(crash='MemoryError at page.py:7'); end.close(); time.sleep(60)", True),
        ("os.kill(os.getpid(), 9)", False),
        ("os.kill(os.getpid(), 15)", False),
    ],
)
async def test_a_crash_is_the_page_s_fault_a_kill_from_outside_is_not(
    stand_in: StandIn, lines: str, *, fault: bool
) -> None:
    """A page that crashes its engine is unreadable; if the engine is killed, that is unknown."""
    descriptor = memfd.sealed_copy("page", b"")
    async with started(stand_in(lines)) as child:
        with pytest.raises(UnreadableImage if fault else ReaderDied):
            await child.request({}, descriptor)
    close_all([descriptor])


@pytest.mark.parametrize(
    ("report", "logged"),
    [
        ("ValueError at page.py:7", "ValueError at page.py:7"),
        ("SelfTestFailed at engine.py:7", "SelfTestFailed at engine.py:7"),
        ("Secret at page.py:7", "an exception at page.py:7"),
        ("ValueError at secret.py:7", "ValueError at a library"),
        ("ValueError at page.py:1234567890", "an exception in a library"),
        ("the text of a page", "an exception in a library"),
        (["text"], "an exception in a library"),
    ],
)
def test_nothing_that_a_child_chooses_is_logged(report: object, logged: str) -> None:
    """A child that has been taken over could send a page's text."""
    assert checked_report(report) == logged


async def test_a_child_s_descriptors_are_not_accepted(stand_in: StandIn) -> None:
    """A child that sends descriptors is killed: they would fill the parent's table."""
    lines = "socket.send_fds(end, [json.dumps({'sequence': sequence}).encode()], [0])"
    before = open_descriptors()
    async with started(stand_in(lines)) as child:
        with pytest.raises(ReaderDied):
            await child.request({})
    assert open_descriptors() == before


async def test_the_environment_is_minimal(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A child gets none of our variables but PATH, and onnxruntime's telemetry is off."""
    monkeypatch.setenv("OCR_SECRET", "hush")
    lines = "send(sequence=sequence, variables=dict(os.environ))"
    async with started(stand_in(lines)) as child:
        message = await child.request({})
    assert set(message["variables"]) - {"LC_CTYPE"} == {
        "MALLOC_MMAP_THRESHOLD_",
        "MALLOC_PERTURB_",
        "OPENBLAS_NUM_THREADS",
        "ORT_DISABLE_TELEMETRY",
        "PATH",
    }
    assert message["variables"]["ORT_DISABLE_TELEMETRY"] == "1"


async def test_the_interpreter_is_isolated(stand_in: StandIn) -> None:
    """A child looks for modules neither in the folder of its bootstrap file nor at the user's."""
    lines = "send(sequence=sequence, isolated=sys.flags.isolated, path=sys.path, file=__file__)"
    async with started(stand_in(lines)) as child:
        message = await child.request({})
    assert message["isolated"] == 1
    assert message["file"].rpartition("/")[0] not in message["path"]


async def test_our_descriptors_are_not_inherited(stand_in: StandIn) -> None:
    """A child has the null device three times, its end of the channel, and nothing else."""
    lines = (
        "send(sequence=sequence, held=[os.readlink(f'/proc/self/fd/{n}') for n in range(3)], "
        "count=len(os.listdir('/proc/self/fd')) - 1)"
    )
    descriptor = memfd.sealed_copy("ours", b"")
    async with started(stand_in(lines)) as child:
        message = await child.request({})
    close_all([descriptor])
    assert message["held"] == ["/dev/null"] * 3
    assert message["count"] == 4
