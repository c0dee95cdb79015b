"""Our tables of settings.toml. settings.toml itself carries each key's meaning and unit."""

from datetime import UTC, date, datetime
from typing import Annotated, Literal

from limits import parse as parse_limit
from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from settings.server import Count, Seconds, Server

HSTS_PRELOAD_MIN_S = 31_536_000  # hstspreload.org asks for a year

Bytes = Annotated[int, Field(ge=1)]
Share = Annotated[int, Field(ge=0)]


def _limit(value: str) -> str:
    if ";" in value or "," in value:
        raise ValueError("one limit, please; a list holds several")
    try:
        item = parse_limit(value)
    except ValueError:
        raise ValueError(f'{value!r} is not like "60/minute" or "10 per 5 minutes"') from None
    if item.amount < 1:
        raise ValueError("a limit of 0 would refuse every request; remove the scope instead")
    return value


def _count_or_auto(value: object) -> object:
    if value == "auto":
        return value
    number = int(value) if isinstance(value, str) and value.isdecimal() else value
    if type(number) is not int or number < 1:
        raise ValueError('must be a number from 1, or "auto"')
    return number


def _as_time(value: object) -> object:
    """Read a TOML date as the UTC midnight it begins with; refuse a time without a zone."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("needs a time zone: 2027-01-31T00:00:00Z")
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value


def _origin(value: AnyHttpUrl) -> AnyHttpUrl:
    if value.scheme != "https":
        raise ValueError("must begin with https://: it is where plain HTTP is sent to")
    if (value.path or "/") != "/" or value.query or value.fragment or value.username:
        raise ValueError("must be scheme, host and port alone: https://ocr.example.org")
    return value


CountOrAuto = Annotated[int | Literal["auto"], BeforeValidator(_count_or_auto)]
Limit = Annotated[str, AfterValidator(_limit)]
Time = Annotated[datetime, BeforeValidator(_as_time)]
KeyId = Annotated[str, Field(pattern=r"^[a-z0-9]{4,16}$")]
Scope = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
Path = Annotated[str, Field(pattern=r"^/[A-Za-z0-9._~/-]*$")]
Origin = Annotated[AnyHttpUrl, AfterValidator(_origin)]


class Table(BaseModel):
    """A table of settings.toml: frozen, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PlainPort(Table):
    """What the plain-HTTP port answers."""

    public_origin: Origin = AnyHttpUrl("https://localhost:8443")
    acme_directory: str = "acme"

    @property
    def origin(self) -> str:
        """The origin without a trailing slash, as a Location header wants it."""
        return str(self.public_origin).rstrip("/")


class Tls(Table):
    """The transport below Hypercorn's own settings."""

    profile: Literal["intermediate", "modern"] = "intermediate"
    allow_development_certificate: bool = False
    reload_poll_s: Seconds = 5
    max_connections: Count = 512
    receive_window_bytes: Annotated[int, Field(ge=65_535, le=2**31 - 1)] = 65_535
    connection_window_bytes: Annotated[int, Field(ge=65_535, le=2**31 - 1)] = 1_048_576
    buffer_bytes: Annotated[int, Field(ge=16_384)] = 65_536
    close_linger_s: Seconds = 1


class Hsts(Table):
    """HTTP Strict Transport Security, RFC 6797."""

    max_age_s: Share = 63_072_000
    include_subdomains: bool = False
    preload: bool = False
    development_max_age_s: Share = 60

    @model_validator(mode="after")
    def _preload_terms(self) -> "Hsts":
        if self.preload and not (self.include_subdomains and self.max_age_s >= HSTS_PRELOAD_MIN_S):
            raise ValueError(
                "preload = true also needs include_subdomains = true and "
                f"max_age_s >= {HSTS_PRELOAD_MIN_S}"
            )
        return self

    def header(self, *, development: bool) -> str:
        """Return the header's value, short-lived with a development certificate."""
        if development:
            return f"max-age={self.development_max_age_s}"
        subdomains = "; includeSubDomains" if self.include_subdomains else ""
        return f"max-age={self.max_age_s}{subdomains}{'; preload' if self.preload else ''}"


class Limits(Table):
    """Rate limits that hold for every function, and where they are counted."""

    storage: SecretStr = SecretStr("async+memory://")
    storage_wait_s: Seconds = 0.5
    on_storage_failure: Literal["deny", "allow"] = "deny"
    per_address: Limit = "600/minute"
    failed_authentications: Limit = "20/minute"
    per_key: Limit = "60/minute"

    @model_validator(mode="after")
    def _known_storage(self) -> "Limits":
        schemes = ("async+memory://", "async+redis://", "async+rediss://", "async+redis+unix://")
        if not self.storage.get_secret_value().startswith(schemes):
            raise ValueError(f"storage must begin with one of {', '.join(schemes)}")
        return self

    @property
    def counts_per_process(self) -> bool:
        """Whether two worker processes would each count for themselves."""
        return self.storage.get_secret_value().startswith("async+memory")


class Model(Table):
    """Which weights read, and how large an image may be."""

    detector: str = "ppocrv3-det"
    recogniser: str = "sealed-crnn"
    max_pixels: Annotated[int, Field(ge=1, le=1_000_000_000)] = 50_000_000
    max_images: Count = 16
    max_pages: Annotated[int, Field(ge=1, le=5000)] = 50
    pdf_dpi: Annotated[int, Field(ge=36, le=1200)] = 200


class Engine(Table):
    """The processes that decode and read."""

    processes: CountOrAuto = "auto"
    decoders: Count = 2
    threads: CountOrAuto = "auto"
    max_waiting: Share = 8
    warm: bool = False
    idle_s: Annotated[float, Field(ge=0)] = 600
    start_timeout_s: Seconds = 30
    decode_timeout_s: Seconds = 10
    read_timeout_s: Seconds = 30
    max_readings: Share = 1000


class Sandbox(Table):
    """Whether the processes that read must be locked."""

    require: Literal["public", "always", "never"] = "public"


class ApiKey(Table):
    """One caller: who, until when, what for, how often."""

    id: KeyId
    name: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w .@/+-]+$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1)]
    limits: dict[str, Limit] = {}
    not_before: Time | None = None
    expires: Time | None = None

    @model_validator(mode="after")
    def _ordered(self) -> "ApiKey":
        if self.not_before and self.expires and self.not_before >= self.expires:
            raise ValueError("not_before is not earlier than expires")
        return self


class Function(Table):
    """One route: a path, who may call it, and what a call may cost."""

    path: Path
    handler: Annotated[str, Field(pattern=r"^[a-z_][\w.]*:[a-z_]\w*$")]
    scope: Scope
    methods: Annotated[tuple[Literal["GET", "POST", "PUT", "DELETE", "PATCH"], ...], Field()] = (
        "POST",
    )
    limits: tuple[Limit, ...] = ()
    max_body_bytes: Share = 5_000_000
    body_timeout_s: Seconds = 30
    timeout_s: Seconds = 60

    @property
    def public(self) -> bool:
        """Whether the function needs no key."""
        return self.scope == "public"

    @model_validator(mode="after")
    def _consistent(self) -> "Function":
        if self.body_timeout_s > self.timeout_s:
            raise ValueError("body_timeout_s is longer than timeout_s, which would end it first")
        if not self.methods:
            raise ValueError("methods is empty: no request could reach the function")
        return self


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
        public = self.server.public_binds
        if public and not self.keys:
            raise ValueError(
                f"bind {public[0]} is reachable from other machines, and no [[keys]] is "
                "configured; make one with scripts/new-key NAME, or bind to 127.0.0.1"
            )
        return self

    @classmethod
    def tables(cls) -> tuple[str, ...]:
        """Name every table of ours, in the order of settings.toml."""
        return tuple(name for name in cls.model_fields if name != "server")
