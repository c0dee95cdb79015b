"""The reader, sized for this machine."""

from dataclasses import asdict

from model.errors import WeightsError
from model.reader import Reader
from model.sizing import choose, this_machine
from service.log import log_event
from service.start_refused import refusing
from settings import Settings


def make_reader(settings: Settings, *, seccomp: bool) -> Reader:
    """Return the reader; it starts no process before the first page. Logs its sizes.

    Raises:
        StartRefused: the model's weights are missing or changed.

    """
    engine = settings.engine
    sizes = choose(
        engine.processes, engine.threads, machine=this_machine(), workers=settings.server.workers
    )
    log_event(event="engine_sized", **asdict(sizes))
    with refusing(WeightsError, place="{file}: [model] or the weights: "):
        return Reader(
            **settings.model.model_dump(exclude={"max_images"}),
            engines=sizes.processes,
            threads=sizes.threads,
            **engine.model_dump(exclude={"warm", "processes", "threads"}),
            seccomp=seccomp,
            report=lambda process, cause: log_event(
                event="process_ended", process=process, cause=cause
            ),
        )
