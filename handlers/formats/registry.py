"""The formats that a client may request. A module of this package that has a FORMAT is one."""

import pkgutil
from functools import cache
from importlib import import_module

from handlers import formats as package
from handlers.formats.format import Format
from handlers.negotiation import preferred

_FIRST = ("json", "text", "ndjson")  # in this order an Accept header with wildcards has its choice


@cache
def formats() -> tuple[Format, ...]:
    """Return all formats: the default first, most of the others by name."""
    modules = [
        import_module(f"{package.__name__}.{module.name}")
        for module in pkgutil.iter_modules(package.__path__)
    ]
    found = {module.FORMAT.name: module.FORMAT for module in modules if hasattr(module, "FORMAT")}
    return tuple(found[name] for name in [*_FIRST, *sorted(set(found) - set(_FIRST))])


def accepted_format(accept: str | None) -> Format:
    """Return the format that an Accept header prefers; the default if it accepts none."""
    media_type = preferred(accept, [each.media_type for each in formats()])
    return next(each for each in formats() if each.media_type == media_type)
