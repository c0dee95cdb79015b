"""systemd's unit files as data: sections, directives, their values in order."""

import shlex
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

Section = Mapping[str, list[str]]
ROOT = Path(__file__).resolve().parents[2]
UNITS = ROOT / "deploy" / "systemd"


def read_unit(path: Path) -> Mapping[str, Section]:
    """Return a unit's sections. Source: systemd.syntax(7).

    An empty value forgets those before it; of a set of capabilities it leaves none.
    """
    sections: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    section: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = sections[line.strip("[]")]
        elif line and not line.startswith(("#", ";")):
            name, _, value = line.partition("=")
            nothing = ["none"] if name.endswith(("BoundingSet", "Capabilities")) else []
            section[name] = [*section[name], value] if value else nothing
    return sections


def only(section: Section, name: str) -> str:
    """Return the value of a directive that must be there once."""
    [value] = section[name]
    return value


def command(section: Section, name: str, **variables: str) -> list[str]:
    """Return the command line of a directive, its variables filled in."""
    words = shlex.split(only(section, name))
    return [variables.get(word.removeprefix("$"), word) for word in words]


def environment(section: Section) -> dict[str, str]:
    """Return the variables that the unit sets."""
    pairs = [word for value in section["Environment"] for word in shlex.split(value)]
    return dict(pair.split("=", 1) for pair in pairs)
