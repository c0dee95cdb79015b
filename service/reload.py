"""The settings in force, and how changed ones are taken up while requests are being served."""

from collections.abc import Callable
from datetime import UTC, datetime

from pydantic import BaseModel
from starlette.applications import Starlette

from service.middleware_stack import MiddlewareStack
from settings import Settings, SettingsError, check_mixture

TAKEN_UP = ("keys", "limits", "hsts")
"""The tables that are; what has sockets, processes or code behind it waits for a restart."""

Report = Callable[..., None]


class SettingsReload:
    """Gives an app its envelope, and another one whenever the settings allow it.

    `read` reads all settings anew, `surround` builds the envelope that they want, given the one
    before; `report` logs an event.
    """

    def __init__(
        self,
        app: Starlette,
        settings: Settings,
        *,
        read: Callable[[], Settings],
        surround: Callable[[Settings, MiddlewareStack | None], MiddlewareStack],
        report: Report,
    ) -> None:
        self.app = app
        self.settings = settings
        self.pending: tuple[str, ...] = ()
        self.problem: str | None = None
        self._read = read
        self._surround = surround
        self._report = report
        self.envelope = surround(settings, None)
        self._dress(self.envelope)

    def reload(self) -> None:
        """Take up the settings as they are now; broken ones change nothing and are reported."""
        try:
            found = self._read()
            changed = differences(self.settings, found)
            taken = [name for name in TAKEN_UP if name in changed]
            if taken:
                new = {name: getattr(found, name) for name in taken}
                settings = check_mixture(self.settings.model_copy(update=new))
                envelope = self._surround(settings, self.envelope)
                self._dress(envelope)
                self.settings, self.envelope = settings, envelope
        except (SettingsError, OSError) as error:
            self._refuse(str(error))
            return
        except Exception as error:  # noqa: BLE001 - its text may hold a password
            self._refuse(f"they cannot be loaded: {type(error).__name__}")
            return
        self.pending = tuple(
            key for name, keys in changed.items() if name not in taken for key in keys
        )
        if changed or self.problem:
            self._report(event="settings_loaded", taken_up=taken, needs_restart=self.pending)
        self.problem = None

    @property
    def all_expired(self) -> bool:
        """Whether there are keys, and none that is valid any more."""
        now = datetime.now(UTC)
        keys = self.settings.keys
        return bool(keys) and all(key.expires and key.expires <= now for key in keys)

    def _refuse(self, problem: str) -> None:
        self.problem = problem
        self._report(
            event="settings_not_loaded", error=problem, in_force="those before, their keys too"
        )

    def _dress(self, envelope: MiddlewareStack) -> None:
        """Put the envelope around the functions; requests under way keep the one they came by."""
        routes = envelope.routes()  # first: what fails here leaves the app as it was
        self.app.router.routes = list(routes)
        self.app.user_middleware = envelope.middleware()
        self.app.middleware_stack = self.app.build_middleware_stack()


def differences(old: Settings, new: Settings) -> dict[str, list[str]]:
    """Name the tables that differ, and what of each, as the file writes it."""
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
