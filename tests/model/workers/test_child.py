"""The handle on a child process, against children that behave and children that don't."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest

import model.workers.process
from model.errors import ReaderDied, UnreadableImage, WeightsError
from model.workers import memfd
from model.workers.channel import Message, close_all
from model.workers.child import Child
from model.workers.pool import Pool
from model.workers.process import place_of
from tests.model.processes import is_running, open_descriptors, until

pytestmark = pytest.mark.anyio

# A stand-in for `model.workers.bootstrap`: it has the channel's end and answers as its body says.
STAND_IN = """
import json, os, socket, sys, time
end = socket.socket(fileno=int(sys.argv[3]))
def receive():
    data = end.recv(65536)
    return json.loads(data) if data else sys.exit()
def send(**message):
    end.send(json.dumps(message).encode())
while True:
    question = receive()
    sequence = question.get("sequence")
"""

Rogue = Callable[[str], None]


@pytest.fixture
def rogue(monkeypatch: pytest.MonkeyPatch) -> Rogue:
    """Return a function that makes every child started from now on run these lines instead."""

    def become(lines: str) -> None:
        body = "".join(f"    {line}\n" for line in lines.splitlines())
        monkeypatch.setattr(model.workers.process, "_CODE", STAND_IN + body)

    return become


@contextlib.asynccontextmanager
async def started(module: str = "engine") -> AsyncIterator[Child]:
    """Start a child and end it afterwards."""
    child = Child(module, lambda _: None)
    try:
        yield child
    finally:
        await child.aclose()


def pool(size: int = 1, *, start_timeout_s: float = 60, cancel_grace_s: float = 0) -> Pool:
    """Return a pool of engines, or of what `rogue` puts in their place."""
    return Pool(
        "engine",
        {},
        size=size,
        start_timeout_s=start_timeout_s,
        cancel_grace_s=cancel_grace_s,
    )


async def asked_in_vain(places: Pool, question: Message) -> int:
    """Ask, leave before the answer, and return the process's id."""
    async with places.place() as child:
        asking = asyncio.create_task(child.ask(question))
        await asyncio.sleep(0.1)
        asking.cancel()
        await asyncio.wait([asking])
        return child.pid


async def test_a_child_answers_and_ends(rogue: Rogue) -> None:
    """A child answers, and is gone after aclose()."""
    rogue("send(sequence=sequence)")
    async with started() as child:
        assert await child.ask({}) == {"sequence": 1}
        assert is_running(child.pid)
    assert not is_running(child.pid)


async def test_an_answer_to_another_question_is_not_given(rogue: Rogue) -> None:
    """A child that repeats its former answer is killed: nobody gets another caller's text."""
    rogue('send(sequence=1, text="the first caller\'s")')
    async with started() as child:
        message = await child.ask({})
        assert message["text"] == "the first caller's"
        with pytest.raises(ReaderDied, match="nobody asked"):
            await child.ask({})
        assert not child.alive


async def test_a_child_that_speaks_unasked_is_killed(rogue: Rogue) -> None:
    """A second answer to one question could be taken for the next question's."""
    rogue("send(sequence=sequence)\nsend(sequence=sequence + 1, text='too early')")
    async with started() as child:
        await child.ask({})
        await until(lambda: not child.alive)
        with pytest.raises(ReaderDied):
            await child.ask({})


@pytest.mark.parametrize("lines", ["end.send(b'{')", "end.send(b'[1]')", "os._exit(1)"])
async def test_nonsense_and_death_are_reader_died(rogue: Rogue, lines: str) -> None:
    """Whatever a child says that is no message, or when it goes, the asker is told."""
    rogue(lines)
    async with started() as child:
        with pytest.raises(ReaderDied):
            await child.ask({})


async def test_a_death_tells_where_but_not_what() -> None:
    """What killed a child reaches the parent as class and line; its text might quote an image."""
    async with started() as child:
        with pytest.raises(ReaderDied, match=r"died: KeyError at engine\.py:\d+$"):
            await child.ask({"secret": "hush"})


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ("os.kill(os.getpid(), 11)", True),
        ("os.abort()", True),
        ("send(died='MemoryError at page.py:7'); os._exit(1)", True),
        ("send(died='MemoryError at page.py:7'); end.close(); time.sleep(60)", True),
        ("os.kill(os.getpid(), 9)", False),
        ("os.kill(os.getpid(), 15)", False),
    ],
)
async def test_a_crash_is_the_page_s_fault_an_end_from_outside_is_not(
    rogue: Rogue, lines: str, *, fault: bool
) -> None:
    """A page that kills its reader is unreadable; a reader that was killed leaves it untold."""
    rogue(lines)
    descriptor = memfd.copy("page", b"")
    async with started() as child:
        with pytest.raises(UnreadableImage if fault else ReaderDied):
            await child.ask({}, descriptor)
    close_all([descriptor])


@pytest.mark.parametrize(
    ("told", "logged"),
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
def test_no_words_of_a_child_s_choosing_are_logged(told: object, logged: str) -> None:
    """Whoever has taken it over could put a page's text there."""
    assert place_of(told) == logged


async def test_a_child_s_descriptors_are_not_taken(rogue: Rogue) -> None:
    """A child that sends a descriptor is killed: ours would be used up, or stand for another."""
    rogue("socket.send_fds(end, [json.dumps({'sequence': sequence}).encode()], [0])")
    before = open_descriptors()
    async with started() as child:
        with pytest.raises(ReaderDied):
            await child.ask({})
    assert open_descriptors() == before


async def test_the_environment_is_bare(rogue: Rogue, monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of ours but PATH reaches a child, and onnxruntime's telemetry is off."""
    monkeypatch.setenv("OCR_SECRET", "hush")
    rogue("send(sequence=sequence, variables=dict(os.environ))")
    async with started() as child:
        message = await child.ask({})
    assert set(message["variables"]) - {"LC_CTYPE"} == {
        "MALLOC_MMAP_THRESHOLD_",
        "MALLOC_PERTURB_",
        "OPENBLAS_NUM_THREADS",
        "ORT_DISABLE_TELEMETRY",
        "PATH",
    }
    assert message["variables"]["ORT_DISABLE_TELEMETRY"] == "1"


async def test_descriptors_of_ours_stay_ours(rogue: Rogue) -> None:
    """A child holds the null device three times, its channel, and nothing else."""
    rogue(
        "send(sequence=sequence, held=[os.readlink(f'/proc/self/fd/{n}') for n in range(3)], "
        "count=len(os.listdir('/proc/self/fd')) - 1)"
    )
    descriptor = memfd.copy("ours", b"")
    async with started() as child:
        message = await child.ask({})
    close_all([descriptor])
    assert message["held"] == ["/dev/null"] * 3
    assert message["count"] == 4


async def test_a_late_start_is_ended(rogue: Rogue) -> None:
    """A child that doesn't start in time is killed, and the place is free again."""
    rogue("time.sleep(60)")
    places = pool(start_timeout_s=0.3)
    for _ in range(2):
        with pytest.raises(ReaderDied, match=r"did not start in 0\.3 s"):
            async with places.place():
                pass
    await places.aclose()
    assert places.pids == []


async def test_a_child_may_find_other_weights(rogue: Rogue) -> None:
    """What a child finds wrong at its start is a WeightsError here."""
    rogue("send(sequence=sequence, error='WeightsError', detail='model.onnx is missing')")
    told: list[tuple[str, str]] = []
    places = Pool(
        "engine", {}, size=1, start_timeout_s=60, cancel_grace_s=0, report=lambda *t: told.append(t)
    )
    with pytest.raises(WeightsError, match=r"model\.onnx is missing"):
        async with places.place():
            pass
    await places.aclose()
    assert told == [("engine", "model.onnx is missing")]


async def test_a_hung_child_is_replaced_after_the_grace(rogue: Rogue) -> None:
    """A child that heeds no cancellation is killed, and its place is free again."""
    rogue("if sequence == 1:\n    send(sequence=1)\nelse:\n    time.sleep(60)")
    places = pool(cancel_grace_s=0.2)
    hung = await asked_in_vain(places, {})
    async with asyncio.timeout(30), places.place() as child:
        assert child.pid != hung
    assert places.deaths == 1
    await places.aclose()


async def test_a_child_that_heeds_a_cancellation_stays(rogue: Rogue) -> None:
    """A child that answers "cancelled" is asked again, and the answer goes nowhere else."""
    rogue(
        "if question.get('slow'):\n    receive()\n    send(sequence=sequence, cancelled=True)\n"
        "elif 'cancel' not in question:\n    send(sequence=sequence, quick=True)"
    )
    places = pool(cancel_grace_s=60)
    first = await asked_in_vain(places, {"slow": True})
    async with places.place() as child:
        assert child.pid == first
        message = await child.ask({})
        assert message["quick"]
    assert places.deaths == 0
    await places.aclose()


async def test_as_few_children_as_the_load_needs(rogue: Rogue) -> None:
    """Of three places one after the other takes the same child; side by side, more start."""
    rogue("send(sequence=sequence)")
    places = pool(3)
    for _ in range(3):
        async with places.place():
            assert len(places.pids) == 1
    async with places.place(), places.place():
        assert len(places.pids) == 2
    await places.unload()
    assert places.pids == []
    assert places.deaths == 0


async def test_a_child_is_replaced_after_so_many_questions(rogue: Rogue) -> None:
    """What a process may have kept of readings goes with it, and no death is counted."""
    rogue("send(sequence=sequence)")
    places = Pool("engine", {}, size=1, start_timeout_s=60, cancel_grace_s=0, max_questions=2)
    pids = []
    for _ in range(5):
        async with places.place() as child:
            pids.append(child.pid)
            await child.ask({})
    assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [2, 2, 1]
    assert places.deaths == 0
    await places.aclose()
