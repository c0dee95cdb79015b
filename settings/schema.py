"""Both halves of settings.toml together: what no table can check by itself."""

from typing import Annotated

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from settings.server import DEFAULT_PAIR, Server, bind_host, is_loopback_bind
from settings.tables import (
    UNIX,
    ApiKey,
    Engine,
    Function,
    Hsts,
    Limits,
    Model,
    PlainPort,
    Proxy,
    Sandbox,
    Tls,
)


class Settings(BaseSettings):
    """Both halves of settings.toml, merged with their overrides and checked together."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix="OCR_",
        env_nested_delimiter="__",
        case_sensitive=False,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic-settings' signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take only what settings.sources merged: it knows that our lists join by id."""
        return (init_settings,)

    server: Server
    plain_port: PlainPort = PlainPort()
    tls: Tls = Tls()
    proxy: Proxy = Proxy()
    hsts: Hsts = Hsts()
    limits: Limits = Limits()
    model: Model = Model()
    engine: Engine = Engine()
    sandbox: Sandbox = Sandbox()
    keys: tuple[ApiKey, ...] = ()
    functions: Annotated[tuple[Function, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _one_of_each(self) -> "Settings":
        for table, names in (
            ("[[keys]] id", [key.id for key in self.keys]),
            ("[[functions]] path", [function.path for function in self.functions]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{table} {twice[0]!r} appears twice")
        return self

    @model_validator(mode="after")
    def _key_limits_name_functions(self) -> "Settings":
        paths = {function.path for function in self.functions} | {"*"}
        for key in self.keys:
            for path in key.limits:
                if path not in paths:
                    raise ValueError(
                        f"[[keys]] {key.id}: limits names {path!r}, which is no path of "
                        '[[functions]]; "*" stands for all of them together'
                    )
        return self

    @model_validator(mode="after")
    def _scopes_name_functions(self) -> "Settings":
        scopes = {function.scope for function in self.functions if not function.public}
        for key in self.keys:
            for scope in key.scopes:
                if scope not in scopes:
                    raise ValueError(
                        f"[[keys]] {key.id}: no function of [[functions]] asks for the scope "
                        f"{scope!r}; those that are asked for: {', '.join(sorted(scopes))}"
                    )
        return self

    @model_validator(mode="after")
    def _shared_counts(self) -> "Settings":
        if self.server.workers > 1 and self.limits.counts_per_process:
            raise ValueError(
                f"workers = {self.server.workers} would each count the rate limits for itself; set "
                '[limits] storage = "async+redis://127.0.0.1:6379" or workers = 0'
            )
        return self

    @model_validator(mode="after")
    def _public_needs_keys(self) -> "Settings":
        if self.reachable_by and not self.keys:
            raise ValueError(
                f"{self.reachable_by[0]} is reachable from other machines, and no [[keys]] is "
                "configured; make one with scripts/new-key NAME, or bind to 127.0.0.1"
            )
        return self

    @model_validator(mode="after")
    def _certificates_are_asked_for(self) -> "Settings":
        off = self.tls.client_certificates == "off"
        alone: set[str] = set()
        for key in self.keys:
            if key.needs_certificate and off:
                raise ValueError(
                    f"[[keys]] {key.id}: needs a certificate, and no client is asked for one: set "
                    '[tls] client_certificates = "optional" or "required"'
                )
            shown = key.certificate_subject or key.certificate_sha256 or ""
            if not key.sha256 and shown in alone:
                raise ValueError(f"[[keys]] {key.id}: another entry has that certificate alone")
            alone |= set() if key.sha256 else {shown}
        if off and self.proxy.client_certificate_header:
            raise ValueError(
                "[proxy] client_certificate_header does nothing with [tls] client_certificates = "
                '"off"; the proxy\'s word is checked against [tls] client_ca'
            )
        return self

    @model_validator(mode="after")
    def _plain_for_a_proxy_alone(self) -> "Settings":
        """Let what has no TLS speak to a proxy on this machine alone, or redirect."""
        server = self.server
        for address in (*server.bind, *server.insecure_bind):
            if bind_host(address) == UNIX and not self.proxy.trusts_unix:
                raise ValueError(
                    f'bind {address} is for a proxy: set [proxy] trusted = ["unix"], or bind to '
                    "127.0.0.1:8443"
                )
        if server.has_tls:
            return self
        for address in server.bind:
            host = bind_host(address)
            if host in {UNIX, "fd"} and self.proxy.trusted:
                continue
            if (
                not self.proxy.trusted
                or not is_loopback_bind(address)
                or not self.proxy.trusts(host)
            ):
                raise ValueError(
                    f"certfile and keyfile are missing: Hypercorn would serve plain HTTP on "
                    f"{address}; set {DEFAULT_PAIR}. Without TLS the service serves only a proxy "
                    "on this machine, over a Unix socket or 127.0.0.1, which [proxy] trusted names"
                )
        if server.insecure_bind:
            raise ValueError(
                "insecure_bind does nothing without certfile: Hypercorn then serves bind alone; "
                "leave it empty, and let the proxy redirect"
            )
        return self

    @property
    def reachable_by(self) -> tuple[str, ...]:
        """What other machines reach the service by; empty where only this one can."""
        proxied = ("what [proxy] trusts",) if self.proxy.trusted else ()
        return (*(f"bind {address}" for address in self.server.public_binds), *proxied)

    @classmethod
    def tables(cls) -> tuple[str, ...]:
        """Name every table of ours, in the order of settings.toml."""
        return tuple(name for name in cls.model_fields if name != "server")
