"""What the reader and its processes are doing at one moment, in numbers."""

from dataclasses import dataclass

from model.admission import Admission
from model.decoding.pool import DecoderPool
from model.workers.pool import Pool
from model.workers.precedence import Precedence
from model.workers.resident_memory import known


@dataclass(frozen=True, slots=True)
class ReaderState:
    """The numbers of one moment.

    `admitted` requests hold a slot, of `slots`; `running` pages are in an engine, of `engines`
    and a spare one, and `paused` of them wait there for pages of other callers;
    `waiting` requests have no page in one. `started` engines were started since the start of the
    service. `memory_bytes` has the resident memory of each process, by its name, oldest first.
    """

    admitted: int
    slots: int
    waiting: int
    running: int
    paused: int
    engines: int
    started: int
    memory_bytes: dict[str, list[int]]


def reader_state(
    admission: Admission, engines: Pool, decoders: DecoderPool, precedence: Precedence
) -> ReaderState:
    """Return the numbers of this moment."""
    running = engines.running_children
    return ReaderState(
        admitted=len(admission),
        slots=admission.size,
        waiting=max(0, len(admission) - engines.running),
        running=engines.running,
        paused=precedence.paused,
        engines=engines.size,
        started=engines.started,
        memory_bytes={
            "engine": known(child.process.memory.bytes() for child in running),
            **decoders.memory_bytes(),
        },
    )
