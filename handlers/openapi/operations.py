"""The operations of a function: what the settings say of it, and what its handler says itself."""

import inspect
import re
from typing import Any

from handlers.description import Description, Text, description_of
from handlers.openapi.curl import code_samples
from handlers.openapi.errors import error_responses
from handlers.openapi.headers import references
from handlers.openapi.interface import FunctionFacts, Interface
from handlers.openapi.line_schemas import ref
from handlers.openapi.security import security

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


def path_item(interface: Interface, function: FunctionFacts) -> dict[str, Any]:
    """Return the path item of a function: an operation for each of its methods."""
    return {method.lower(): operation(interface, function, method) for method in function.methods}


def operation(interface: Interface, function: FunctionFacts, method: str) -> dict[str, Any]:
    """Return the operation of one method of a function."""
    found = description_of(function.handler, interface)
    said = found or _undescribed(interface, function)
    own = dict(said.operation)
    if len(function.methods) > 1 and "operationId" in own:
        own["operationId"] = f"{own['operationId']}_{method.lower()}"
    whole = {
        "tags": ["functions"],
        "operationId": _id(function, method),
        **({} if "summary" in own else _from_docstring(function)),
        **own,
        "responses": _merged(
            error_responses(interface, function, said.errors), own.get("responses", {})
        ),
        "security": security(interface, function),
        "x-limits": _limits(interface, function),
    }
    if placeholders := _placeholders(function):
        whole["parameters"] = [*placeholders, *own.get("parameters", [])]
    return {**whole, "x-codeSamples": code_samples(interface, function, method, whole)}


def _merged(errors: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Return all responses; an error that comes with a status of success joins its examples."""
    merged = {**errors, **own}
    for status in errors.keys() & own.keys():
        content = {kind: dict(media) for kind, media in own[status].get("content", {}).items()}
        for kind, media in errors[status]["content"].items():
            examples = {**content.get(kind, {}).get("examples", {}), **media["examples"]}
            content[kind] = {**media, **content.get(kind, {}), "examples": examples}
        merged[status] = {**errors[status], **own[status], "content": content}
    return merged


def _undescribed(interface: Interface, function: FunctionFacts) -> Description:
    """Return what is known of a handler that does not describe itself."""
    operation: dict[str, Any] = {
        "responses": {
            "2XX": {
                "description": Text("The function's response.", "该功能的响应。"),
                "headers": references(interface=interface),
            },
            "default": {
                "description": Text("Another error of the function.", "该功能的其他错误。"),
                "headers": references("Content-Language", interface=interface),
                "content": {"application/problem+json": {"schema": ref("Problem")}},
            },
        }
    }
    if {"POST", "PUT", "PATCH"} & {*function.methods} and function.max_body_bytes:
        operation["requestBody"] = {"content": {"*/*": {}}}
    return Description(operation)


def _id(function: FunctionFacts, method: str) -> str:
    words = re.findall(r"[A-Za-z0-9]+", function.path)
    return "_".join([method.lower(), *words])


def _from_docstring(function: FunctionFacts) -> dict[str, str]:
    """Return the first line of the handler's docstring as summary, and the rest."""
    first, _, rest = (inspect.getdoc(function.handler) or function.path).partition("\n")
    summary = {"summary": first.rstrip(".")}
    return {**summary, "description": rest.strip()} if rest.strip() else summary


def _placeholders(function: FunctionFacts) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PLACEHOLDER.findall(function.path)
    ]


def _limits(interface: Interface, function: FunctionFacts) -> dict[str, Any]:
    """Return the limits of a function, as in the settings."""
    return {
        "scope": function.scope,
        "requests_per_address" if function.public else "requests_per_key": list(function.limits),
        **({} if function.public else {"requests_per_key_of_all_functions": interface.per_key}),
        "max_body_bytes": function.max_body_bytes,
        "body_timeout_s": function.body_timeout_s,
        "timeout_s": function.timeout_s,
    }
