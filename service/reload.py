"""The settings in force, and how changed ones come into force while requests are served."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

from pydantic import BaseModel
from starlette.types import ASGIApp

from service.log import log_event
from service.middleware_stack import MiddlewareStack
from service.retired_storage import RetiredStorages, UsingApp
from settings import ApiKey, Settings, SettingsError, check_mixture
from tls.watch import FileWatch

RELOADABLE = ("keys", "limits", "hsts", "cors")
"""The tables that can change; what has sockets, processes or code behind it needs a restart."""


class Reload(Protocol):
    """Something that is read from files again when they change."""

    @property
    def problem(self) -> str | None:
        """Why the newest state of the files is not in force; None if it is."""

    def poll(self) -> None:
        """Reload the files if they have changed and are complete."""

    def reload(self) -> None:
        """Reload the files as they are now."""


class SettingsReload:
    """The settings in force and their middleware stack.

    `read` reads all settings anew; `build` makes a stack of them, given the one before. `app` is
    replaced as a whole, in one assignment: a request in progress stays with the app that got it.
    """

    def __init__(
        self,
        settings: Settings,
        watch: FileWatch,
        *,
        read: Callable[[], Settings],
        build: Callable[[Settings, MiddlewareStack | None], MiddlewareStack],
    ) -> None:
        self.settings = settings
        self.needs_restart: tuple[str, ...] = ()
        self.problem: str | None = None
        self._watch = watch
        self._read = read
        self._build = build
        self.stack = build(settings, None)
        self.app: ASGIApp = UsingApp(self.stack.app(), self.stack.users)
        self._retired = RetiredStorages()

    def poll(self) -> None:
        """Reload the settings if their files have changed and are complete."""
        if self._watch.poll():
            self._load()

    def reload(self) -> None:
        """Reload the settings as they are now."""
        self._watch.accept()
        self._load()

    @property
    def all_expired(self) -> bool:
        """Whether there are keys and all of them have expired."""
        now = datetime.now(UTC)
        keys = self.settings.keys
        return bool(keys) and all(key.expires and key.expires <= now for key in keys)

    def _load(self) -> None:
        """Put the settings as they are now into force; wrong ones change nothing and are logged."""
        try:
            found = self._read()
            changed = differences(self.settings, found)
            reloaded = [name for name in RELOADABLE if name in changed]
            keys = key_changes(self.settings.keys, found.keys)
            if reloaded:
                self._put_in_force(
                    self.settings.model_copy(
                        update={name: getattr(found, name) for name in reloaded}
                    )
                )
        except (SettingsError, OSError) as error:
            self._refuse(str(error))
            return
        except Exception as error:  # noqa: BLE001 - its text may hold a password
            self._refuse(f"they cannot be loaded: {type(error).__name__}")
            return
        self.needs_restart = tuple(
            key for name, keys in changed.items() if name not in reloaded for key in keys
        )
        if changed or self.problem:
            log_event(
                event="settings_loaded",
                tables=reloaded,
                keys=keys,
                needs_restart=self.needs_restart,
            )
        self.problem = None

    def _put_in_force(self, settings: Settings) -> None:
        settings = check_mixture(settings)
        stack = self._build(settings, self.stack)
        app = stack.app()  # what fails before this leaves everything as it was
        before, self.stack = self.stack, stack
        self.app = UsingApp(app, stack.users)
        if stack.quota.storage is not before.quota.storage:
            longest_s = max(each.timeout_s for each in self.settings.enabled_functions)
            self._retired.add(before.quota, before.users, within_s=longest_s)
        self.settings = settings

    async def aclose(self) -> None:
        """Close the storage in force, and those that were before it."""
        await self._retired.aclose()
        await self.stack.quota.aclose()

    def _refuse(self, problem: str) -> None:
        self.problem = problem
        log_event(
            event="settings_not_loaded",
            error=problem,
            in_force="the previous settings, including their keys",
        )


def key_changes(old: Sequence[ApiKey], new: Sequence[ApiKey]) -> dict[str, list[str]]:
    """Return the ids of the keys that were added, changed and removed, sorted."""
    before, after = ({key.id: key for key in keys} for keys in (old, new))
    both = before.keys() & after.keys()
    return {
        "added": sorted(after.keys() - before.keys()),
        "changed": sorted(each for each in both if before[each] != after[each]),
        "removed": sorted(before.keys() - after.keys()),
    }


def differences(old: Settings, new: Settings) -> dict[str, list[str]]:
    """Return the tables that differ and which of their keys, named as in the file."""
    changed = {}
    for name in type(old).model_fields:
        one, other = getattr(old, name), getattr(new, name)
        if one == other:
            continue
        if not isinstance(one, BaseModel):
            changed[name] = [f"[[{name}]]"]
            continue
        keys = [key for key in type(one).model_fields if getattr(one, key) != getattr(other, key)]
        changed[name] = keys if name == "server" else [f"[{name}] {key}" for key in keys]
    return changed
