"""What the OpenAPI document is built from: functions and limits of one state of the settings."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FunctionFacts:
    """A function: its handler, who may call it, and its limits. `limits` are as in the settings."""

    path: str
    handler: Callable[..., Any]
    scope: str
    key_header: str | None
    loopback_without_key: bool
    methods: tuple[str, ...]
    limits: tuple[str, ...]
    max_body_bytes: int
    body_timeout_s: float
    timeout_s: float

    @property
    def public(self) -> bool:
        """Whether the function needs no key."""
        return self.scope == "public"


@dataclass(frozen=True, slots=True)
class Interface:
    """What a client can see of one state of the settings. It is hashable: documents are cached.

    `origin` is the public one. `certificates` is `client_certificates` of the settings.
    """

    origin: str
    development_certificate: bool
    functions: tuple[FunctionFacts, ...]
    per_address: str
    per_key: str
    failed_authentications: str
    certificates: str
    proxied: bool
    cors: bool
    max_images: int
    max_pages: int
    max_pixels: int
    pdf_dpi: int
    decode_timeout_s: float
    read_timeout_s: float
