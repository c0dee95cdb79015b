"""Checks that an untested Hypercorn, h2 or Python has everything that the server builds on.

What a module builds on is found in the module itself: its imports, its `USES` (private names of a
library, and signatures), and its methods marked with `override`.
"""

import ast
import asyncio
import inspect
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

LIBRARIES = {"asyncio", "h11", "h2", "hpack", "hypercorn", "hyperframe", "multiprocessing"}
MODULES = sorted(file.stem for file in Path(__file__).parent.glob("[a-z]*.py"))

Method = TypeVar("Method", bound=Callable[..., Any])


class ProbeError(Exception):
    """A library lacks what a module of the server builds on; the message names both."""


def override(method: Method) -> Method:
    """Mark a method that overrides one of a library's class (typing.override, from Python 3.12)."""
    method.__override__ = True  # type: ignore[attr-defined]
    return method


def imports_of(module: str) -> Iterator[str]:
    """Yield what a module imports of the libraries, as `library.module:name`."""
    for node in ast.walk(_parsed(module)):
        if isinstance(node, ast.Import):
            names = [f"{alias.name}:" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}:{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in names if _library(name.partition(":")[0]) in LIBRARIES)


@cache
def _parsed(module: str) -> ast.Module:
    return ast.parse(Path(__file__).with_name(f"{module}.py").read_text(encoding="utf-8"))


def uses_of(module: str) -> Iterator[str]:
    """Yield what a module declares in USES, or overrides: `library.module:name(parameters)`."""
    loaded = import_module(f"server.{module}")
    yield from getattr(loaded, "USES", ())
    for ours in classes_of(loaded):
        for name, member in vars(ours).items():
            if is_override(member):
                yield _overridden(ours, name, member)


def classes_of(module: ModuleType) -> list[type]:
    """Return the classes that a module defines."""
    found = [value for value in vars(module).values() if isinstance(value, type)]
    return [value for value in found if value.__module__ == module.__name__]


def is_override(member: object) -> bool:
    """Whether a class's member is marked as an override."""
    return getattr(getattr(member, "fget", member), "__override__", False)


def library_class(ours: type, name: str) -> type | None:
    """Return the class of a library from which `ours` has, or overrides, `name`."""
    bases = [base for base in ours.__mro__ if _library(base.__module__) in LIBRARIES]
    return next((base for base in bases if name in vars(base)), None)


def _overridden(ours: type, name: str, member: Any) -> str:
    base = library_class(ours, name)
    if base is None:  # it is missing: name the class that should have it
        base = next(base for base in ours.__mro__ if _library(base.__module__) in LIBRARIES)
    place = f"{base.__module__}:{base.__qualname__}.{name}"
    if isinstance(member, property):
        return place
    parameters = inspect.signature(member).parameters.values()
    return f"{place}({', '.join(one.name for one in parameters if one.kind != one.KEYWORD_ONLY)})"


def _library(module: str) -> str:
    return module.partition(".")[0]


def check_all(find: Callable[[str], Iterator[str]]) -> None:
    """Check everything that `find` (imports_of, uses_of) finds in the server's modules.

    Raises:
        ProbeError: something does not exist, or has other parameters.

    """
    for module in MODULES:
        for place in find(module):
            check(module, place)


def check(module: str, place: str) -> None:
    """Check one `library.module:name(parameters)`; parameters are optional.

    Raises:
        ProbeError: it does not exist, or has other parameters.

    """
    name, _, parameters = place.partition("(")
    library, _, path = name.partition(":")
    try:
        found: Any = import_module(library)
        for part in path.split(".") if path else ():
            found = _attribute(found, part)
    except (ImportError, AttributeError) as error:
        raise ProbeError(f"{module}: {name} is missing") from error
    if parameters and parameters != ", ".join(inspect.signature(found).parameters) + ")":
        raise ProbeError(f"{module}: {name} has other parameters now")


def _attribute(found: Any, name: str) -> Any:
    """Return an attribute; for one that a class's constructor sets, whether its source does."""
    if isinstance(found, type) and not hasattr(found, name):
        constructor = vars(found).get("__init__")
        source = inspect.getsource(constructor) if inspect.isfunction(constructor) else ""
        if not re.search(rf"self\.{name}\b[^=\n]*= ", source):
            raise AttributeError(name)
        return None
    if not isinstance(found, ModuleType) or hasattr(found, name):
        return getattr(found, name)
    return import_module(f"{found.__name__}.{name}")


def check_behaviour(make: Callable[..., Any] | None = None) -> None:
    """Check in memory that an early response leaves its HTTP/2 connection usable.

    `make` makes the connection, from Hypercorn's arguments; the server's own unless it is given.

    Raises:
        ProbeError: the connection does not survive.

    """
    # A thread of its own: the application may be created inside a running loop.
    with ThreadPoolExecutor(max_workers=1) as pool:
        exchange = pool.submit(asyncio.run, _exchange(make or _own_protocol))
        error = exchange.exception()
    if error is not None or exchange.result() != {1: b"401", 3: b"401"}:
        raise ProbeError("http2: an early response breaks its connection") from error


def _own_protocol(*args: Any) -> Any:
    from server.connection_limit import Limits  # noqa: PLC0415 - what few starts need
    from server.http2 import HardenedH2Protocol  # noqa: PLC0415
    from server.options import ServerOptions  # noqa: PLC0415

    options = ServerOptions()
    limits = Limits(options)
    return HardenedH2Protocol(
        *args,
        options=options,
        network_limit=limits.network,
        fair_queue=limits.fair_queue,
        retained_windows=limits.retained_windows,
        refusals=limits.refusals,
        closures=limits.closures,
        drain=limits.drain,
    )


async def _exchange(make: Callable[..., Any]) -> dict[int, bytes]:
    """Send body after the reply to its request, then another request; return the statuses."""
    import h2.config  # noqa: PLC0415 - an exchange few starts need
    import h2.connection  # noqa: PLC0415
    import h2.events  # noqa: PLC0415
    from hypercorn.app_wrappers import ASGIWrapper  # noqa: PLC0415
    from hypercorn.asyncio.task_group import TaskGroup  # noqa: PLC0415
    from hypercorn.asyncio.worker_context import WorkerContext  # noqa: PLC0415
    from hypercorn.config import Config  # noqa: PLC0415
    from hypercorn.events import Closed, RawData  # noqa: PLC0415

    async def refuse(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 401, "headers": []})
        await send({"type": "http.response.body", "body": b"no"})

    client = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding=None))
    client.initiate_connection()
    statuses: dict[int, bytes] = {}

    async def to_client(event: Any) -> None:
        for seen in client.receive_data(event.data) if isinstance(event, RawData) else ():
            if isinstance(seen, h2.events.ResponseReceived):
                statuses[seen.stream_id] = dict(seen.headers)[b":status"]

    async with TaskGroup(asyncio.get_running_loop()) as tasks:
        server = make(
            ASGIWrapper(refuse),
            Config(),
            WorkerContext(None),
            tasks,
            {},
            True,  # noqa: FBT003 - Hypercorn's signature
            None,
            None,
            to_client,
        )
        await server.initiate()
        for stream_id in (1, 3):
            client.send_headers(stream_id, _REQUEST)
            await server.handle(RawData(client.data_to_send()))
            await asyncio.sleep(0.05)
            client.send_data(stream_id, b"late" * 1000)
            await server.handle(RawData(client.data_to_send()))
        await server.handle(Closed())
    return statuses


_REQUEST = [
    (b":method", b"POST"),
    (b":path", b"/"),
    (b":scheme", b"https"),
    (b":authority", b"localhost"),
]
