"""All settings; settings/combinations.py has the checks across tables."""

from typing import Annotated

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from settings.combinations import conflicts
from settings.errors import Conflicts
from settings.server import Server
from settings.tables import (
    ApiKey,
    Audit,
    Cluster,
    Cors,
    Engine,
    Formats,
    Function,
    Hsts,
    Limits,
    Log,
    Model,
    PlainPort,
    Proxy,
    Sandbox,
    Shutdown,
    Tls,
)


class Settings(BaseSettings):
    """All settings: settings.toml merged with its overrides."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", case_sensitive=False)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic-settings' signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Use only the values that settings.sources merged, in which lists are joined by id."""
        return (init_settings,)

    server: Server
    plain_port: PlainPort = PlainPort()
    tls: Tls = Tls()
    shutdown: Shutdown = Shutdown()
    proxy: Proxy = Proxy()
    hsts: Hsts = Hsts()
    cors: Cors = Cors()
    limits: Limits = Limits()
    model: Model = Model()
    formats: Formats = Formats()
    engine: Engine = Engine()
    sandbox: Sandbox = Sandbox()
    cluster: Cluster = Cluster()
    log: Log = Log()
    audit: Audit = Audit()
    keys: tuple[ApiKey, ...] = ()
    functions: Annotated[tuple[Function, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> "Settings":
        found = list(conflicts(self, type(self).model_fields))
        if found:
            raise Conflicts(found)
        return self

    @property
    def enabled_functions(self) -> tuple[Function, ...]:
        """The functions that are switched on."""
        return tuple(function for function in self.functions if function.enabled)

    @property
    def paths_without_key_from_loopback(self) -> tuple[str, ...]:
        """The paths of the functions that need no key from loopback addresses."""
        return tuple(each.path for each in self.enabled_functions if each.loopback_without_key)

    @property
    def reachable_by(self) -> tuple[str, ...]:
        """How other machines reach the service; empty if only this machine can."""
        proxied = ("the service behind [proxy]",) if self.proxy.trusted else ()
        return (*(f"bind {address}" for address in self.server.public_binds), *proxied)

    @classmethod
    def tables(cls) -> tuple[str, ...]:
        """Return the names of the service's own tables, in the order of settings.toml."""
        return tuple(name for name in cls.model_fields if name != "server")
