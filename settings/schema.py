"""All settings, and the checks across tables."""

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
    """All settings: settings.toml merged with its overrides."""

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
        """Use only the values that settings.sources merged, in which lists are joined by id."""
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
                        f"[[keys]] {key.id}: limits has {path!r}, which is not the path of a "
                        'function; "*" means all functions together'
                    )
        return self

    @model_validator(mode="after")
    def _scopes_name_functions(self) -> "Settings":
        scopes = {function.scope for function in self.functions if not function.public}
        for key in self.keys:
            for scope in key.scopes:
                if scope not in scopes:
                    raise ValueError(
                        f"[[keys]] {key.id}: no function has the scope {scope!r}; the scopes of "
                        f"[[functions]] are: {', '.join(sorted(scopes))}"
                    )
        return self

    @model_validator(mode="after")
    def _shared_counts(self) -> "Settings":
        if self.server.workers > 1 and self.limits.counts_per_process:
            raise ValueError(
                f"workers = {self.server.workers} would each have their own rate-limit counters; "
                'set [limits] storage = "async+redis://127.0.0.1:6379" or workers = 0'
            )
        return self

    @model_validator(mode="after")
    def _public_needs_keys(self) -> "Settings":
        if self.reachable_by and not self.keys:
            raise ValueError(
                f"{self.reachable_by[0]} is reachable from other machines, and there are no "
                "[[keys]]; create one with scripts/new-key NAME, or bind to 127.0.0.1"
            )
        return self

    @model_validator(mode="after")
    def _certificates_are_requested(self) -> "Settings":
        off = self.tls.client_certificates == "off"
        without_key: set[str] = set()
        for key in self.keys:
            if key.needs_certificate and off:
                raise ValueError(
                    f"[[keys]] {key.id}: needs a certificate, but clients are not asked for one; "
                    'set [tls] client_certificates = "optional" or "required"'
                )
            certificate = key.certificate_subject or key.certificate_sha256 or ""
            if not key.sha256 and certificate in without_key:
                raise ValueError(
                    f"[[keys]] {key.id}: another entry without sha256 has the same certificate"
                )
            without_key |= set() if key.sha256 else {certificate}
        if off and self.proxy.client_certificate_header:
            raise ValueError(
                "[proxy] client_certificate_header has no effect with [tls] client_certificates = "
                '"off"; certificates from the proxy are verified against [tls] client_ca'
            )
        return self

    @model_validator(mode="after")
    def _plain_http_only_for_a_proxy(self) -> "Settings":
        """Allow plain HTTP only for a trusted proxy on this machine, and for redirects."""
        server = self.server
        for address in (*server.bind, *server.insecure_bind):
            if bind_host(address) == UNIX and not self.proxy.trusts_unix:
                raise ValueError(
                    f'bind {address} is a Unix socket: set [proxy] trusted = ["unix"], or bind to '
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
                "insecure_bind has no effect without certfile: Hypercorn then opens bind only; set "
                "insecure_bind = [] and let the proxy redirect"
            )
        return self

    @property
    def reachable_by(self) -> tuple[str, ...]:
        """How other machines reach the service; empty if only this machine can."""
        proxied = ("the service behind [proxy]",) if self.proxy.trusted else ()
        return (*(f"bind {address}" for address in self.server.public_binds), *proxied)

    @classmethod
    def tables(cls) -> tuple[str, ...]:
        """Return the names of the service's own tables, in the order of settings.toml."""
        return tuple(name for name in cls.model_fields if name != "server")
