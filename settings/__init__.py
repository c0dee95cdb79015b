"""The schema of settings.toml, a frozen class per table, and its loading with overrides."""

from settings.loading import (
    SettingsError,
    check_mixture,
    load_settings,
    settings_files,
    settings_path,
)
from settings.schema import Settings
from settings.tables import ApiKey, Function

__all__ = [
    "ApiKey",
    "Function",
    "Settings",
    "SettingsError",
    "check_mixture",
    "load_settings",
    "settings_files",
    "settings_path",
]
