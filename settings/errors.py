"""What is wrong with the settings, and where."""

from settings.toml_lines import Loc


class SettingsError(Exception):
    """The settings are invalid; the message names the file, the key and how to fix it."""


class Conflict(ValueError):
    """Values that do not go together; `locs` are those of all of them."""

    def __init__(self, text: str, *locs: Loc) -> None:
        super().__init__(text)
        self.locs = locs


class Conflicts(ValueError):
    """All conflicts between the tables."""

    def __init__(self, conflicts: list[Conflict]) -> None:
        super().__init__("; ".join(map(str, conflicts)))
        self.conflicts = conflicts
