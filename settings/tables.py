"""The service's tables of settings.toml, a class each. The file documents meanings and units."""

import re
import unicodedata
from datetime import UTC, date, datetime
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Annotated, Literal
from urllib.parse import urlsplit

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

from settings.errors import Conflict
from settings.kinds import shown
from settings.server import Count, Seconds

UNIX = "unix"
LARGEST_PREFIX = 8  # a larger network cannot consist of one's own proxies
HSTS_PRELOAD_MIN_S = 31_536_000  # hstspreload.org requires a year
NAME_LENGTH = 64
INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")  # Unicode's controls, formats and line separators
KEY_HEADERS = {
    "authorization": "is always accepted, as Authorization: Bearer; remove it",
    "x-api-key": "is always accepted; remove it",
    "cookie": "would let every web page use the key that a browser sends; name another header",
}
"""Headers that key_header must not name, and why."""
STORAGE_SCHEMES = (
    "async+memory://",
    "async+redis://",
    "async+rediss://",
    "async+redis+unix://",
    "async+redis+sentinel://",
    "async+rediss+sentinel://",
)
JOINERS = "\u200c\u200d"  # formats that the spelling of some scripts needs

MAPPED_BITS = 96  # of ::ffff:0:0/96, the IPv4-mapped addresses (RFC 4291, section 2.5.5.2)
# What redis counts exactly, in microseconds too; a header has at most 15 digits (RFC 9651).
MOST = 10**12

Bytes = Annotated[int, Field(ge=1)]
Share = Annotated[int, Field(ge=0, le=MOST)]


def _matching(pattern: str, wanted: str) -> AfterValidator:
    """Accept strings of a pattern only; the message shows the string."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"must be {wanted}, not {shown(value)}")
        return value

    return AfterValidator(check)


def _digest(value: str) -> str:
    """Accept a SHA-256 only; the message does not show the value, which may be a key by mistake."""
    if not re.fullmatch(r"[0-9a-f]{64}", value):
        raise ValueError("is not a SHA-256 of 64 digits 0-9 a-f; scripts/keys new NAME writes it")
    return value


def _limit(value: str) -> str:
    if ";" in value or "," in value:
        raise ValueError("must be one limit; use a list for several")
    try:
        item = parse_limit(value)
    except ValueError:
        raise ValueError(
            f'{value!r} is not a rate limit such as "60/minute" or "10 per 5 minutes"'
        ) from None
    if item.amount < 1:
        raise ValueError("a limit of 0 would reject every request; remove the scope instead")
    if max(item.amount, item.get_expiry()) > MOST:
        raise ValueError(f"{value!r} cannot be counted: at most {MOST} requests, or seconds")
    return value


def _name(value: str) -> str:
    """Accept any text that a terminal shows as it is: no control, and no bidirectional override."""
    if not 0 < len(value) <= NAME_LENGTH:
        raise ValueError(f"must have 1 to {NAME_LENGTH} characters")
    if value != value.strip():
        raise ValueError("must not begin or end with white space")
    for character in value:
        if unicodedata.category(character) in INVISIBLE and character not in JOINERS:
            raise ValueError(f"contains the control character U+{ord(character):04X}")
    return value


def _count_or_auto(value: int | Literal["auto"]) -> int | Literal["auto"]:
    if value != "auto" and value < 1:
        raise ValueError('must be a number of at least 1, or "auto"')
    return value


def _as_time(value: object) -> object:
    """Convert a TOML date to its midnight UTC; reject a time without a time zone.

    In JSON both are strings.
    """
    if isinstance(value, str):
        return _as_time(_from_iso(value))
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("needs a time zone, such as 2027-01-31T00:00:00Z")
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value


def _from_iso(text: str) -> date:
    for kind in (date, datetime):
        try:
            return kind.fromisoformat(text)
        except ValueError:
            continue
    raise ValueError(f"{shown(text)} is not a date; write 2027-01-31 or 2027-01-31T12:00:00Z")


def _origin(value: AnyHttpUrl) -> AnyHttpUrl:
    if value.scheme != "https":
        raise ValueError("must start with https://, since plain HTTP redirects to it")
    if (value.path or "/") != "/" or value.query or value.fragment or value.username:
        raise ValueError("must have scheme, host and port only, such as https://ocr.example.org")
    return value


def _page_origin(value: str) -> str:
    """Accept an origin only as browsers send it: RFC 6454, section 6.2."""
    if value == "*":
        raise ValueError(
            '"*" would let every web page use the service; list the origins of your pages'
        )
    match = re.fullmatch(r"(https?)://([a-z0-9.-]+|\[[0-9a-f:]+\])(:\d{1,5})?(/?)", value.lower())
    if match is None:
        raise ValueError(f'{shown(value)} is not an origin such as "https://intranet.example.org"')
    port = "" if match[3] == {"http": ":80", "https": ":443"}[match[1]] else match[3] or ""
    if (written := f"{match[1]}://{match[2]}{port}") != value:
        raise ValueError(f"{shown(value)} would match no page; did you mean {shown(written)}?")
    return value


def _network(value: str, kinds: str = "not a network such as") -> IPv4Network | IPv6Network:
    try:
        network = ip_network(value, strict=False)
    except ValueError:
        raise ValueError(f'{value!r} is {kinds} "10.0.0.0/8"') from None
    if network.network_address != ip_address(value.partition("/")[0]):
        raise ValueError(f"{value!r} has host bits set; did you mean {str(network)!r}?")
    first = getattr(network.network_address, "ipv4_mapped", None)
    if first is not None and network.prefixlen >= MAPPED_BITS:
        plain = f"{first}/{network.prefixlen - MAPPED_BITS}"
        raise ValueError(f"{value!r} has IPv4 addresses in an IPv6 form; write {plain!r}")
    return network


def _cluster_address(value: str) -> str:
    """Accept one address of this machine and a port: not all of them, and nothing but TLS."""
    match = re.fullmatch(r"tls://(\[[0-9a-f:]+\]|[\w.-]+):(\d{1,5})", value, re.ASCII)
    if match is None or not 0 < int(match[2]) < 2**16:
        raise ValueError(f'{shown(value)} is not an address such as "tls://10.0.0.1:8786"')
    if match[1] in {"0.0.0.0", "[::]"}:  # noqa: S104 - what is refused
        raise ValueError(f"{match[1]} would be every network of this machine: name one address")
    return value


def _peer(value: str) -> str:
    if value == UNIX:
        return value
    network = _network(value, f'neither "{UNIX}" nor a network such as')
    if network.prefixlen < LARGEST_PREFIX and not network.is_private:
        raise ValueError(f"{value!r} is too large: any host in it could claim any client address")
    return value


def _client_network(value: str) -> str:
    _network(value)
    return value


def _subject(value: str) -> str:
    """Accept a distinguished name only in the form in which certificates are compared."""
    from cryptography import x509  # noqa: PLC0415 - takes 160 ms to import

    try:
        written = x509.Name.from_rfc4514_string(value).rfc4514_string()
    except ValueError:
        raise ValueError(
            f'{value!r} is not an RFC 4514 name such as "CN=ledger,O=Bank"; scripts/keys new '
            "NAME --certificate FILE writes it"
        ) from None
    if written != value:
        raise ValueError(f"{value!r} would match no certificate; did you mean {written!r}?")
    return value


CountOrAuto = Annotated[int | Literal["auto"], AfterValidator(_count_or_auto)]
Limit = Annotated[str, AfterValidator(_limit)]
Time = Annotated[datetime, BeforeValidator(_as_time)]
Name = Annotated[str, AfterValidator(_name)]
KeyId = Annotated[str, _matching(r"[a-z0-9]{4,16}", "4 to 16 of the characters a-z 0-9")]
Scope = Annotated[
    str, _matching(r"[a-z][a-z0-9_-]{0,31}", "a letter a-z and up to 31 of a-z 0-9 _ - after it")
]
Path = Annotated[
    str,
    _matching(
        r"/[A-Za-z0-9._~/-]*|(/[A-Za-z0-9._~-]+)*/\{[a-z_]+\}",
        "a path of / and A-Z a-z 0-9 . _ ~ -, whose last segment may be a placeholder such as "
        "{name}",
    ),
]
HandlerName = Annotated[
    str,
    _matching(
        r"[a-z_][\w.]*:[a-z_]\w*", 'a module and a function, such as "handlers.ocr:recognize"'
    ),
]
ClusterAddress = Annotated[str, AfterValidator(_cluster_address)]
PageOrigin = Annotated[str, AfterValidator(_page_origin)]
Peer = Annotated[str, AfterValidator(_peer)]
Network = Annotated[str, AfterValidator(_client_network)]
HeaderName = Annotated[
    str, _matching(r"[a-z][a-z0-9-]{0,63}", "a header's name in a-z 0-9 -, such as client-cert")
]
Subject = Annotated[str, AfterValidator(_subject)]
Digest = Annotated[str, AfterValidator(_digest)]
Origin = Annotated[AnyHttpUrl, AfterValidator(_origin)]


class Table(BaseModel):
    """A table of settings.toml; it is frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PlainPort(Table):
    """Responses over plain HTTP."""

    public_origin: Origin = AnyHttpUrl("https://localhost:8443")
    acme_directory: str = "acme"

    @property
    def origin(self) -> str:
        """The origin without a trailing slash, as the prefix of a Location header."""
        return str(self.public_origin).rstrip("/")

    @property
    def host(self) -> str:
        """The host that clients connect to, and that the certificate is for."""
        return (self.public_origin.host or "localhost").strip("[]")


class Tls(Table):
    """TLS, client certificates and connection limits."""

    profile: Literal["intermediate", "modern"] = "intermediate"
    allow_development_certificate: bool = False
    key_passphrase: SecretStr | None = None
    expiry_warning_days: Share = 14
    reload_poll_s: Seconds = 0.25
    session_ticket_key_s: Seconds = 86_400
    client_certificates: Literal["off", "optional", "required"] = "off"
    client_ca: str | None = None
    client_crl: str | None = None
    max_connections: Count = 512
    max_connections_per_address: Count = 400
    new_connections_per_s: Annotated[float, Field(ge=1)] = 200
    receive_window_bytes: Annotated[int, Field(ge=65_535, le=2**31 - 1)] = 65_535
    connection_window_bytes: Annotated[int, Field(ge=65_535, le=2**31 - 1)] = 1_048_576
    buffer_bytes: Annotated[int, Field(ge=16_384)] = 65_536
    close_linger_s: Seconds = 1
    send_timeout_s: Seconds = 30
    control_frames_per_s: Annotated[float, Field(ge=10)] = 100

    @model_validator(mode="after")
    def _client_ca_goes_with_certificates(self) -> "Tls":
        if self.client_certificates != "off" and self.client_ca is None:
            raise Conflict(
                f'client_certificates = "{self.client_certificates}" requires client_ca, the CAs '
                "of the client certificates",
                ("client_certificates",),
            )
        if self.client_certificates == "off" and (self.client_ca or self.client_crl):
            raise Conflict(
                'client_ca and client_crl have no effect with client_certificates = "off"; set it '
                'to "optional" or "required", or remove them',
                ("client_ca",),
                ("client_crl",),
                ("client_certificates",),
            )
        return self

    @property
    def passphrase(self) -> str | None:
        """The passphrase of the key file, if it is encrypted."""
        return self.key_passphrase.get_secret_value() if self.key_passphrase else None


class Proxy(Table):
    """The trusted reverse proxies, and the headers they send."""

    trusted: tuple[Peer, ...] = ()
    header: Literal["forwarded", "x-forwarded"] = "forwarded"
    client_certificate_header: HeaderName | None = None

    @model_validator(mode="after")
    def _header_of_a_proxy(self) -> "Proxy":
        if self.client_certificate_header and not self.trusted:
            raise Conflict(
                "client_certificate_header has no effect while trusted is empty; name the proxies "
                "in trusted, or remove it",
                ("client_certificate_header",),
            )
        return self

    @property
    def networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The IP networks in `trusted`."""
        return tuple(ip_network(peer) for peer in self.trusted if peer != UNIX)

    @property
    def trusts_unix(self) -> bool:
        """Whether connections over a Unix socket are trusted."""
        return UNIX in self.trusted

    def trusts(self, host: str) -> bool:
        """Return whether connections from this address are trusted."""
        address = ip_address("127.0.0.1" if host == "localhost" else host.partition("%")[0])
        return any(address in network for network in self.networks)


class Shutdown(Table):
    """What happens between SIGTERM and the end."""

    drain_s: Annotated[float, Field(ge=0, le=3600)] = 0


class Hsts(Table):
    """HTTP Strict Transport Security, RFC 6797."""

    max_age_s: Share = 63_072_000
    include_subdomains: bool = False
    preload: bool = False
    development_max_age_s: Share = 60

    @model_validator(mode="after")
    def _preload_requirements(self) -> "Hsts":
        if self.preload and not (self.include_subdomains and self.max_age_s >= HSTS_PRELOAD_MIN_S):
            raise Conflict(
                "preload = true requires include_subdomains = true and "
                f"max_age_s >= {HSTS_PRELOAD_MIN_S}",
                ("preload",),
            )
        return self

    def header(self, *, development: bool) -> str:
        """Return the header's value, with a short max-age for a development certificate."""
        if development:
            return f"max-age={self.development_max_age_s}"
        subdomains = "; includeSubDomains" if self.include_subdomains else ""
        return f"max-age={self.max_age_s}{subdomains}{'; preload' if self.preload else ''}"


class Cors(Table):
    """Pages of other origins that may send requests."""

    origins: tuple[PageOrigin, ...] = ()


class Limits(Table):
    """Rate limits for all functions, and their storage."""

    storage: SecretStr = SecretStr("async+memory://")
    storage_ca: str | None = None
    storage_certfile: str | None = None
    storage_keyfile: str | None = None
    storage_wait_s: Seconds = 0.5
    on_storage_failure: Literal["deny", "allow"] = "deny"
    per_address: Limit = "600/minute"
    failed_authentications: Limit = "20/minute"
    per_key: Limit = "60/minute"
    concurrent_per_key: Share = 0
    pages_per_day: Share = 0
    pages_per_month: Share = 0

    @model_validator(mode="after")
    def _known_storage(self) -> "Limits":
        uri = self.storage.get_secret_value()
        if not uri.startswith(STORAGE_SCHEMES):
            raise Conflict(
                f"storage must start with one of {', '.join(STORAGE_SCHEMES)}", ("storage",)
            )
        try:
            parts = urlsplit(uri)
            for host in parts.netloc.rpartition("@")[2].split(
                ","
            ):  # of sentinels there are several
                urlsplit(f"//{host}").port  # noqa: B018 - it raises for an invalid port
        except ValueError:
            raise Conflict(
                "storage is not a valid URL; write / # ? @ in a password as %2F %23 %3F %40",
                ("storage",),
            ) from None
        return self

    @model_validator(mode="after")
    def _tls_storage(self) -> "Limits":
        files = ("storage_ca", "storage_certfile", "storage_keyfile")
        given = [(name,) for name in files if getattr(self, name) is not None]
        if given and not self.storage.get_secret_value().startswith("async+rediss"):
            raise Conflict(
                f"{given[0][0]} has no effect without TLS: begin storage with async+rediss://, or "
                "remove it",
                *given,
            )
        if (self.storage_certfile is None) != (self.storage_keyfile is None):
            raise Conflict("storage_certfile and storage_keyfile belong together", *given)
        return self

    def counts_like(self, other: "Limits") -> bool:
        """Return whether both use the same storage in the same way."""
        return self.storage_settings == other.storage_settings

    @property
    def storage_settings(self) -> tuple[object, ...]:
        """What belongs to the storage itself."""
        return (
            self.storage,
            self.storage_wait_s,
            self.storage_ca,
            self.storage_certfile,
            self.storage_keyfile,
        )

    @property
    def counts_per_process(self) -> bool:
        """Whether each worker process would have its own counters."""
        return self.storage.get_secret_value().startswith("async+memory")


class Model(Table):
    """The weights, and the limits on images and pages."""

    detector: str = "ppocrv3-det"
    recogniser: str = "sealed-crnn-v2"
    max_pixels: Annotated[int, Field(ge=1, le=1_000_000_000)] = 50_000_000
    max_images: Count = 16
    max_pages: Annotated[int, Field(ge=1, le=5000)] = 50
    pdf_dpi: Annotated[int, Field(ge=36, le=1200)] = 200


class Formats(Table):
    """The images of pages in responses."""

    jpeg_quality: Annotated[int, Field(ge=1, le=100)] = 80
    dpi: Annotated[int, Field(ge=36, le=1200)] = 200
    max_dpi: Annotated[int, Field(ge=36, le=1200)] = 400

    @model_validator(mode="after")
    def _default_allowed(self) -> "Formats":
        if self.dpi > self.max_dpi:
            raise Conflict(f"dpi must be at most max_dpi, {self.max_dpi}", ("dpi",))
        return self


class Engine(Table):
    """The processes that decode and read."""

    processes: CountOrAuto = "auto"
    decoders: Count = 2
    threads: CountOrAuto = "auto"
    page_memory_bytes: CountOrAuto = "auto"
    max_waiting: Share = 8
    warm: bool = False
    idle_s: Annotated[float, Field(ge=0)] = 600
    start_timeout_s: Seconds = 30
    decode_timeout_s: Seconds = 10
    read_timeout_s: Seconds = 30
    max_readings: Share = 1000


class Sandbox(Table):
    """Whether a sandbox is required for the processes that decode and read."""

    require: Literal["public", "always", "never"] = "public"


class Cluster(Table):
    """The scheduler and the workers of a cluster that reads folders."""

    scheduler: ClusterAddress = "tls://127.0.0.1:8786"
    node: ClusterAddress = "tls://127.0.0.1:8787"
    ca: str = "tls/cluster/ca.pem"
    certificate: str = "tls/cluster/node.pem"
    key: str = "tls/cluster/node.key"
    worker_ttl_s: Annotated[float, Field(ge=5, le=300)] = 5


class Log(Table):
    """The format of the log."""

    format: Literal["auto", "text", "json"] = "auto"


class Audit(Table):
    """The audit trail."""

    directory: str = ""
    key: SecretStr | None = None
    max_file_bytes: Annotated[int, Field(ge=1000)] = 100_000_000
    sync_s: Annotated[float, Field(ge=0, le=60)] = 1
    on_failure: Literal["deny", "allow"] = "deny"
    unauthenticated: bool = False

    @property
    def enabled(self) -> bool:
        """Whether records are written."""
        return bool(self.directory)

    @property
    def secret(self) -> str:
        """The key; empty without one."""
        return self.key.get_secret_value().strip() if self.key else ""


class ApiKey(Table):
    """One caller: its key or certificate, validity, scopes, limits and quotas."""

    id: KeyId
    name: Name
    sha256: Digest | None = None
    previous_sha256: Digest | None = None
    previous_expires: Time | None = None
    certificate_subject: Subject | None = None
    certificate_sha256: Digest | None = None
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1)]
    # Not empty, as of a template whose variable was: that would be all of them.
    functions: Annotated[tuple[Path, ...], Field(min_length=1)] = ()
    limits: dict[str, Limit] = {}
    concurrent: Share | None = None
    pages_per_day: Share | None = None
    pages_per_month: Share | None = None
    networks: Annotated[tuple[Network, ...], Field(min_length=1)] = ()
    not_before: Time | None = None
    expires: Time | None = None

    @model_validator(mode="after")
    def _ordered(self) -> "ApiKey":
        if self.not_before and self.expires and self.not_before >= self.expires:
            raise Conflict("not_before must be earlier than expires", ("not_before",), ("expires",))
        return self

    @model_validator(mode="after")
    def _rotation(self) -> "ApiKey":
        if self.sha256 and self.sha256 == self.previous_sha256:
            raise Conflict(
                "previous_sha256 is the same as sha256; remove previous_sha256 and "
                "previous_expires, or run scripts/keys rotate",
                ("previous_sha256",),
                ("sha256",),
            )
        together = (self.previous_sha256, self.previous_expires)
        if any(together) and not (all(together) and self.sha256):
            raise Conflict(
                "previous_sha256 and previous_expires belong together, beside sha256; "
                "scripts/keys rotate writes all three",
                ("previous_sha256",),
                ("previous_expires",),
            )
        return self

    @model_validator(mode="after")
    def _has_credentials(self) -> "ApiKey":
        if self.certificate_subject and self.certificate_sha256:
            raise Conflict(
                "set certificate_subject or certificate_sha256, not both",
                ("certificate_subject",),
                ("certificate_sha256",),
            )
        if not self.sha256 and not self.needs_certificate:
            raise ValueError(
                "needs sha256 (of an API key), certificate_subject or certificate_sha256; "
                "scripts/keys new NAME writes an entry"
            )
        return self

    def quotas(self, defaults: Limits) -> tuple[int, int, int]:
        """Return `concurrent`, `pages_per_day` and `pages_per_month`: its own, or the defaults."""
        return (
            defaults.concurrent_per_key if self.concurrent is None else self.concurrent,
            defaults.pages_per_day if self.pages_per_day is None else self.pages_per_day,
            defaults.pages_per_month if self.pages_per_month is None else self.pages_per_month,
        )

    @property
    def needs_certificate(self) -> bool:
        """Whether the caller must present a certificate."""
        return bool(self.certificate_subject or self.certificate_sha256)


class Function(Table):
    """One route: path, handler, scope and limits."""

    path: Path
    handler: HandlerName
    scope: Scope
    enabled: bool = True
    methods: Annotated[tuple[Literal["GET", "POST", "PUT", "DELETE", "PATCH"], ...], Field()] = (
        "POST",
    )
    limits: tuple[Limit, ...] = ()
    max_body_bytes: Share = 5_000_000
    body_timeout_s: Seconds = 30
    timeout_s: Seconds = 60
    key_header: HeaderName | None = None
    loopback_without_key: bool = False

    @property
    def public(self) -> bool:
        """Whether the function needs no key."""
        return self.scope == "public"

    @model_validator(mode="after")
    def _consistent(self) -> "Function":
        if self.body_timeout_s > self.timeout_s:
            raise Conflict(
                f"body_timeout_s ({self.body_timeout_s:g}) must not be longer than timeout_s "
                f"({self.timeout_s:g})",
                ("body_timeout_s",),
                ("timeout_s",),
            )
        if not self.methods:
            raise Conflict(
                'methods is empty: no request could reach the function; write ["POST"]',
                ("methods",),
            )
        return self

    @model_validator(mode="after")
    def _keys(self) -> "Function":
        if self.key_header in KEY_HEADERS:
            raise Conflict(
                f'key_header = "{self.key_header}" {KEY_HEADERS[self.key_header]}', ("key_header",)
            )
        for key in ("key_header", "loopback_without_key"):
            if self.public and getattr(self, key):
                raise Conflict(
                    f'{key} has no effect with scope = "public", which needs no key; remove one '
                    "of them",
                    (key,),
                    ("scope",),
                )
        return self
