"""The top level of settings.toml, which Hypercorn reads itself.

Hypercorn sets every top-level key on its Config and validates none, so `certfil = ...` would serve
plain HTTP on the TLS port. This class has the keys that are supported. The defaults are Hypercorn's
own, because those apply when a key is left out.
"""

import ipaddress
import re
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from settings.errors import Conflict


def _as_tuple(value: object) -> object:
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


Binds = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]

DEFAULT_PAIR = 'certfile = "tls/local/certificate.pem" and keyfile = "tls/local/certificate.key"'

# Hypercorn's keys that are not supported: each would be unsafe, or a second way of doing a thing.
UNSUPPORTED = {
    "accesslog": "the service writes its own access log, in JSON and without content",
    "access_log_format": "the service writes its own access log, in JSON",
    "alt_svc_headers": "HTTP/3 is not supported",
    "application_path": "the application is app:app",
    "ca_certs": "use [tls] client_ca for the CAs of client certificates",
    "keyfile_password": "use [tls] key_passphrase, which a secrets directory can provide",
    "debug": "debug output may include the content of requests",
    "logconfig": "it could disable the service's own log",
    "max_app_queue_size": "use [tls] receive_window_bytes, which bounds bodies that wait",
    "quic_bind": "HTTP/3 is not supported; it would ignore several TLS settings",
    "read_timeout": "it also ends slow responses; use [[functions]] body_timeout_s, timeout_s",
    "root_path": "each function has its complete path",
    "server_names": "redirects use [plain_port] public_origin only",
    "use_reloader": "restart the service instead",
    "verify_mode": "use [tls] client_certificates",
}


class Server(BaseModel):
    """Hypercorn's settings: sockets, certificate, processes, timeouts."""

    # Strict, because Hypercorn converts no types: workers = "2" would fail only later.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    bind: Binds = ("127.0.0.1:8000",)
    insecure_bind: Binds = ()
    certfile: str | None = None
    keyfile: str | None = None
    workers: Annotated[int, Field(ge=0)] = 1
    worker_class: Literal["asyncio"] = "asyncio"
    backlog: Count = 100
    ciphers: str = "ECDHE+AESGCM"
    errorlog: str | None = "-"
    loglevel: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    graceful_timeout: Seconds = 3
    shutdown_timeout: Seconds = 60
    startup_timeout: Seconds = 60
    ssl_handshake_timeout: Seconds = 60
    keep_alive_timeout: Seconds = 5
    keep_alive_max_requests: Count = 1000
    h11_max_incomplete_size: Count = 16 * 1024
    h2_max_concurrent_streams: Count = 100
    h2_max_header_list_size: Count = 2**16
    h2_max_inbound_frame_size: Annotated[int, Field(ge=2**14, le=2**24 - 1)] = 2**14
    include_server_header: Annotated[bool, Field(validate_default=True)] = True
    include_date_header: bool = True
    umask: Annotated[int, Field(ge=0, le=0o777)] | None = None
    pid_path: str | None = None

    @field_validator("bind")
    @classmethod
    def _bind_somewhere(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("must have at least one address")
        return value

    @field_validator("bind", "insecure_bind")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for address in value:
            bind_host(address)
        return value

    @field_validator("include_server_header")
    @classmethod
    def _no_server_header(cls, value: bool) -> bool:  # noqa: FBT001 - pydantic's signature
        if value:
            raise ValueError(
                "must be false: responses do not disclose the server's name and version"
            )
        return value

    @field_validator("ciphers")
    @classmethod
    def _aead_only(cls, value: str) -> str:
        if not re.fullmatch(r"ECDHE\+(AESGCM|CHACHA20)(:ECDHE\+(AESGCM|CHACHA20))*", value):
            raise ValueError('must be a list of ECDHE+AESGCM and ECDHE+CHACHA20, separated by ":"')
        return value

    @model_validator(mode="after")
    def _both_or_none(self) -> "Server":
        """Require both or none; Settings checks that none is behind a proxy."""
        if (self.certfile is None) != (self.keyfile is None):
            missing = "certfile" if self.certfile is None else "keyfile"
            raise Conflict(
                f"{missing} is missing: Hypercorn would serve plain HTTP on {self.bind[0]}; "
                f"set {DEFAULT_PAIR}",
                ("certfile",),
                ("keyfile",),
            )
        return self

    @property
    def has_tls(self) -> bool:
        """Whether Hypercorn uses TLS; otherwise a proxy does."""
        return self.certfile is not None

    @property
    def public_binds(self) -> tuple[str, ...]:
        """The addresses that other machines can reach."""
        return tuple(a for a in self.bind + self.insecure_bind if not is_loopback_bind(a))


def bind_host(address: str) -> str:
    """Return the host of `host:port` or `[v6]:port`, "fd" for `fd://N`, "unix" for `unix:/path`.

    Raises:
        ValueError: the address has none of these forms, or its port is not 0 to 65535.

    """
    if address.startswith("unix:"):
        if not address.startswith("unix:/"):
            raise ValueError(f"{address!r} needs an absolute path: unix:/run/ocr.sock")
        return "unix"
    if re.fullmatch(r"fd://\d+", address):
        return "fd"
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^\s:\[\]]+):(\d{1,5})", address)
    if match is None or int(match[2]) > 65535:  # noqa: PLR2004 - the largest port
        raise ValueError(f'{address!r} is not "host:port" (IPv6: "[::1]:8443")')
    return match[1].strip("[]")


def is_loopback_bind(address: str) -> bool:
    """Return whether only this machine can reach a bind address; False for an inherited socket."""
    host = bind_host(address)
    if host in {"localhost", "unix"}:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
