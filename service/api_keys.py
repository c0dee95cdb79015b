"""The callers: the `[[keys]]` entries, or the development key where there are none."""

from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING

from limits import parse as parse_limit
from starlette.types import Scope

from middleware.authentication import BEGINNING, END, Caller, PresentedCertificate
from service.dev_key import development_caller, log_disabled, log_enabled
from settings import ApiKey, Limits, Settings

if TYPE_CHECKING:  # it takes 160 ms to import, and most services do not need it
    from tls.clients import ClientTrustStore


def configured_callers(
    settings: Settings, directory: Path, before: Settings | None
) -> list[Caller]:
    """Return the configured callers; without any, the development key's, kept in `directory`.

    It is logged if the settings disable that key and those `before`, if there were any, did not;
    and if they enable it again.
    """
    development_key = directory / ".dev" / "key"
    if settings.keys:
        if before is None or not before.keys:
            log_disabled(development_key)
        return [_caller(key, settings.limits) for key in settings.keys]
    if before is not None and before.keys:
        log_enabled(development_key)
    scopes = {function.scope for function in settings.enabled_functions}
    paths = {function.path for function in settings.enabled_functions}
    return [development_caller(development_key, scopes, paths)]


def presented_certificate(
    clients: "ClientTrustStore | None",
) -> Callable[[Scope], PresentedCertificate | None]:
    """Return a function that reads a request's client certificate; None if it is not valid now."""

    def read(scope: Scope) -> PresentedCertificate | None:
        der = scope["state"].get("certificate")
        return clients.identify(der) if clients is not None and der is not None else None

    return read


def _caller(key: ApiKey, defaults: Limits) -> Caller:
    concurrent, pages_per_day, pages_per_month = key.quotas(defaults)
    return Caller(
        key.id,
        key.name,
        bytes.fromhex(key.sha256) if key.sha256 else None,
        frozenset(key.scopes),
        {path: parse_limit(limit) for path, limit in key.limits.items()},
        key.not_before or BEGINNING,
        key.expires or END,
        certificate=key.certificate_subject or bytes.fromhex(key.certificate_sha256 or ""),
        previous_sha256=bytes.fromhex(key.previous_sha256) if key.previous_sha256 else None,
        previous_expires=key.previous_expires or BEGINNING,
        functions=frozenset(key.functions),
        networks=tuple(map(ip_network, key.networks)),
        concurrent=concurrent,
        pages_per_day=pages_per_day,
        pages_per_month=pages_per_month,
    )
