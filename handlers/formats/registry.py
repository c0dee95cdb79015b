"""The formats that a client may request: each module of this package is one, by its own name.

A format's module is imported when it is needed first: it costs nothing at the start.
"""

import pkgutil
from functools import cache
from importlib import import_module

from handlers import formats as package
from handlers.formats.format import Format
from handlers.negotiation import preferred

DEFAULT = "json"
_FIRST = (DEFAULT, "text", "ndjson")  # in this order an Accept header with wildcards has its choice
_OTHER_MODULES = {"format", "registry"}
_NO_PREFERENCE = {None, "", "*/*", "application/json"}  # what most clients send


@cache
def names() -> tuple[str, ...]:
    """Return the names of all formats: the default first, most of the others by name."""
    found = {module.name for module in pkgutil.iter_modules(package.__path__)} - _OTHER_MODULES
    return (*_FIRST, *sorted(found - set(_FIRST)))


def format_named(name: str) -> Format:
    """Return one of the formats."""
    made: Format = import_module(f"{package.__name__}.{name}").FORMAT
    return made


def formats() -> tuple[Format, ...]:
    """Return all formats, in the order of their names."""
    return tuple(map(format_named, names()))


def accepted_format(accept: str | None) -> Format:
    """Return the format that an Accept header prefers; the default if it accepts none."""
    if accept in _NO_PREFERENCE:
        return format_named(DEFAULT)
    offered = {each.media_type: each for each in formats()}
    return offered[preferred(accept, tuple(offered))]
