"""The reader of a worker, built from the node's settings as the service builds its own."""

import sys
from pathlib import Path

from cluster.errors import ClusterRefused
from model.errors import WeightsError
from model.reader import Reader
from model.sandbox import seccomp
from model.sizing import choose, this_machine
from settings import Settings, SettingsError, load_settings

# Each task reads one page: [model] max_pages is about requests.
PAGES_OF_A_DOCUMENT = 1_000_000
# One page is decoded while the engines read others.
DECODING = 1


def settings_of(path: Path) -> Settings:
    """Return the settings of this node.

    Raises:
        ClusterRefused: they are invalid; one mistake a line.

    """
    try:
        return load_settings(path)
    except SettingsError as error:
        raise ClusterRefused(str(error)) from None


def say(text: str) -> None:
    """Write a line to the log, standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def reader_of(settings: Settings) -> tuple[Reader, int]:
    """Return a reader, which starts no process before its first page, and how many pages it takes.

    Raises:
        ClusterRefused: there is no sandbox and the settings require one, or no weights.

    """
    sandboxed = seccomp.available()
    if not sandboxed and settings.sandbox.require != "never":
        raise ClusterRefused(
            "[sandbox] require: the processes that parse files cannot be sandboxed: this kernel "
            "has no seccomp filters. Allow them (containers: the default profile does), or accept "
            'the risk with [sandbox] require = "never"'
        )
    engine = settings.engine
    sizes = choose(
        engine.processes,
        engine.threads,
        page_memory_bytes=engine.page_memory_bytes,
        machine=this_machine(),
        workers=1,
    )
    left_out = {"warm", "processes", "threads", "page_memory_bytes", "max_waiting"}
    try:
        reader = Reader(
            **settings.model.model_dump(exclude={"max_images", "max_pages"}),
            max_pages=PAGES_OF_A_DOCUMENT,
            engines=sizes.processes,
            threads=sizes.threads,
            page_memory_bytes=sizes.page_memory_bytes,
            max_waiting=DECODING,
            **engine.model_dump(exclude=left_out),
            seccomp=sandboxed,
            report=lambda process, cause: say(f"process_ended process={process} cause={cause}"),
        )
    except WeightsError as error:
        raise ClusterRefused(f"[model]: {error}") from None
    return reader, sizes.processes + DECODING
