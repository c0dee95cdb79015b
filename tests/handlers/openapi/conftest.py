"""The document of the shipped settings, and validators of what it says."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from handlers.openapi.document import localised
from handlers.openapi.interface import Interface
from service.interface import interface_of
from settings import load_settings

SHIPPED = Path(__file__).parents[3] / "settings.toml"
Validator = Callable[[str, Any], list[str]]


@pytest.fixture(scope="session")
def interface() -> Interface:
    """Return the interface of the shipped settings."""
    return interface_of(load_settings(SHIPPED, {}), development_certificate=True)


@pytest.fixture(scope="session")
def document(interface: Interface) -> dict[str, Any]:
    """Return the document in English."""
    return localised(interface, 0)


@pytest.fixture(scope="session")
def faults(document: dict[str, Any]) -> Validator:
    """Return a function: what a value has that its schema does not allow or mention."""
    components = deepcopy(document["components"])
    for schema in components["schemas"].values():
        if "properties" in schema:
            schema["additionalProperties"] = False

    def check(name: str, value: Any) -> list[str]:
        whole = {"$ref": f"#/components/schemas/{name}", "components": components}
        return [str(error.message) for error in Draft202012Validator(whole).iter_errors(value)]

    return check
