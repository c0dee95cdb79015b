"""The top level of settings.toml: the keys that Hypercorn reads for itself.

Hypercorn sets every top-level key on its Config and checks none, so `certfil = ...` would serve
plain HTTP on the TLS port. This class holds the keys an operator may use; a default here is
Hypercorn's own, because that is what runs when the key is left out.
"""

import ipaddress
import re
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator


def _as_tuple(value: object) -> object:
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


Binds = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]

DEFAULT_PAIR = 'certfile = "tls/local/certificate.pem" and keyfile = "tls/local/certificate.key"'

# Hypercorn knows these too; here each would be a second or an unsafe way of doing a thing.
UNSUPPORTED = {
    "accesslog": "the access log is the service's own: it is JSON, escaped and free of content",
    "access_log_format": "the access log is the service's own: it is JSON, escaped",
    "alt_svc_headers": "HTTP/3 is not served",
    "application_path": "the application is app:app",
    "ca_certs": "[tls] client_ca names whose client certificates are taken",
    "keyfile_password": "[tls] key_passphrase is the place, and can be kept in a secrets directory",
    "debug": "debug output may show what a caller sent",
    "logconfig": "it could switch the service's own log off",
    "max_app_queue_size": "a body waits for its function in a window, [tls] receive_window_bytes",
    "quic_bind": "HTTP/3 ignores several of the TLS settings, so it is not served",
    "read_timeout": "it also cuts slow responses; [[functions]] have body_timeout_s and timeout_s",
    "root_path": "every function names its whole path",
    "server_names": "[plain_port] public_origin is the only name that is ever sent back",
    "use_reloader": "restart the service instead",
    "verify_mode": "[tls] client_certificates says whether clients are asked for one",
}


class Server(BaseModel):
    """What Hypercorn is told: sockets, certificate, processes, time limits."""

    # Strict, because Hypercorn converts nothing: workers = "2" would fail long after this.
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
            raise ValueError("an empty list would serve nothing; name an address")
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
            raise ValueError("must be false: the server's name and version are nobody's business")
        return value

    @field_validator("ciphers")
    @classmethod
    def _aead_only(cls, value: str) -> str:
        if not re.fullmatch(r"ECDHE\+(AESGCM|CHACHA20)(:ECDHE\+(AESGCM|CHACHA20))*", value):
            raise ValueError('must be of ECDHE+AESGCM and ECDHE+CHACHA20, joined by ":"')
        return value

    @model_validator(mode="after")
    def _both_or_none(self) -> "Server":
        """None is for a proxy alone, as Settings checks."""
        if (self.certfile is None) != (self.keyfile is None):
            missing = "certfile" if self.certfile is None else "keyfile"
            raise ValueError(
                f"{missing} is missing: Hypercorn would serve plain HTTP on {self.bind[0]}; "
                f"set {DEFAULT_PAIR}"
            )
        return self

    @property
    def has_tls(self) -> bool:
        """Whether Hypercorn speaks TLS; without, a proxy does."""
        return self.certfile is not None

    @property
    def public_binds(self) -> tuple[str, ...]:
        """Every address that other machines can reach."""
        return tuple(a for a in self.bind + self.insecure_bind if not is_loopback_bind(a))


def bind_host(address: str) -> str:
    """Return the host part of `host:port` or `[v6]:port`; "fd" for `fd://N`, "unix" for a path.

    Raises:
        ValueError: the address is none of these, or its port is not 0 to 65535.

    """
    if address.startswith("unix:"):
        if not address.startswith("unix:/"):
            raise ValueError(f"{address!r} needs the socket's whole path: unix:/run/ocr.sock")
        return "unix"
    if re.fullmatch(r"fd://\d+", address):
        return "fd"
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^\s:\[\]]+):(\d{1,5})", address)
    if match is None or int(match[2]) > 65535:  # noqa: PLR2004 - the largest port
        raise ValueError(f'{address!r} is not "host:port" (IPv6: "[::1]:8443")')
    return match[1].strip("[]")


def is_loopback_bind(address: str) -> bool:
    """Whether only this machine can reach `address`; an inherited socket counts as public."""
    host = bind_host(address)
    if host in {"localhost", "unix"}:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
