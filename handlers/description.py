"""How a handler describes itself in the OpenAPI document."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

Handler = TypeVar("Handler", bound=Callable[..., Any])


class Text(NamedTuple):
    """A text in the languages of the service; the document has the one that the client prefers."""

    english: str
    chinese: str


@dataclass(frozen=True, slots=True)
class Description:
    """What the document says of a handler beyond what the settings say.

    `operation` has members of an OpenAPI operation object (summary, requestBody, responses, ...);
    each string in it may be a Text. `errors` are exceptions of handlers.problem_table that the
    handler raises.
    """

    operation: Mapping[str, Any] = field(default_factory=dict)
    errors: tuple[type[Exception], ...] = ()


def described(by: Description | str) -> Callable[[Handler], Handler]:
    """Return a decorator that gives a handler its description.

    A string "module:function" names a function that takes the interface
    (handlers.openapi.interface.Interface) and returns the Description: it is imported when the
    document is first asked for.
    """

    def decorate(handler: Handler) -> Handler:
        handler.__dict__["description"] = by
        return handler

    return decorate


def description_of(handler: Callable[..., Any], interface: object) -> Description | None:
    """Return the description of a handler, None if it has none."""
    by = getattr(handler, "description", None)
    if isinstance(by, str):
        module, _, name = by.partition(":")
        by = getattr(importlib.import_module(module), name)(interface)
    return by if isinstance(by, Description) else None


def in_language(tree: Any, language: int) -> Any:
    """Return a tree of JSON values with each Text replaced by its string in the language."""
    if isinstance(tree, Text):
        return tree[language]
    if isinstance(tree, Mapping):
        return {key: in_language(value, language) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [in_language(each, language) for each in tree]
    return tree
