"""The reader, sized for this machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from metrics.counts import Counts
from model.errors import UnknownWeights, WeightsError
from model.reader import Neighbours, Reader, checked_files
from model.sizing import choose, this_machine
from service.group import service_group
from service.log import log_event
from service.start_refused import StartRefused, refusing
from settings import Settings


@contextmanager
def weights_checked() -> Iterator[None]:
    """Raise what is wrong with the weights as StartRefused.

    Raises:
        StartRefused: a name in `[model]` is unknown, or the weights are missing or changed.

    """
    with refusing(WeightsError, subject="the weights"):
        try:
            yield
        except UnknownWeights as error:
            refusal = StartRefused(str(error))
            refusal.locs = (("model", error.kind),)
            raise refusal from error


def check_weights(detector: str, recogniser: str) -> None:
    """Check two names in `[model]` and the files that they stand for.

    Raises:
        StartRefused: a name is unknown, or the weights are missing or changed.

    """
    with weights_checked():
        checked_files(detector, recogniser)


def make_reader(settings: Settings, counts: Counts, *, seccomp: bool) -> Reader:
    """Return the reader; it starts no process before the first page. Logs its sizes.

    Raises:
        StartRefused: the model's weights are missing or changed.

    """
    engine, workers = settings.engine, settings.server.workers
    sizes = choose(
        engine.processes,
        engine.threads,
        page_memory_bytes=engine.page_memory_bytes,
        machine=this_machine(),
        workers=workers,
    )
    log_event(event="engine_sized", **asdict(sizes))

    def report(process: str, cause: str) -> None:
        counts.process_ended(process)
        log_event(event="process_ended", process=process, cause=cause)

    with weights_checked():
        return Reader(
            **settings.model.model_dump(exclude={"max_images"}),
            engines=sizes.processes,
            threads=sizes.threads,
            spare_engines=sizes.spare,
            page_memory_bytes=sizes.page_memory_bytes,
            **engine.model_dump(exclude={"warm", "processes", "threads", "page_memory_bytes"}),
            seccomp=seccomp,
            report=report,
            observe=counts.page,
            neighbours=Neighbours(service_group(), workers) if workers > 1 else None,
        )
