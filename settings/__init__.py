"""The schema of settings.toml, a frozen class per table, and its loading with overrides."""

from settings.errors import SettingsError
from settings.loading import (
    LOCAL_NAME,
    Examination,
    check_mixture,
    examine,
    load_settings,
    settings_files,
    settings_path,
)
from settings.origins import Origins
from settings.schema import Settings
from settings.tables import ApiKey, Function, Limits
from settings.toml_lines import Loc

__all__ = [
    "LOCAL_NAME",
    "ApiKey",
    "Examination",
    "Function",
    "Limits",
    "Loc",
    "Origins",
    "Settings",
    "SettingsError",
    "check_mixture",
    "examine",
    "load_settings",
    "settings_files",
    "settings_path",
]
